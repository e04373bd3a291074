import { type ApiRef, GATEWAY_GROUP } from "../../model/gateway-api-types.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

const READS = [
  "ConfigMap",
  "GRPCRoute",
  "HTTPRoute",
  "KubernetesGateway",
  "ReferenceGrant",
  "Secret",
  "Service",
  "TCPRoute",
  "TLSRoute",
] as const;
const GRANTED = ["Service", "Secret", "ConfigMap"] as const;

type Input = AnalyzerInput<(typeof READS)[number], "MSH0751" | "MSH0752">;
type Grant = KindTypes["ReferenceGrant"];

/** What is granted and not used is open to whoever creates a route or Gateway there. */
export const gatewayApiGrantUse = defineAnalyzer({
  name: "gateway-api-grant-use",
  summary: "Finds ReferenceGrants that allow more than what is used.",
  reads: READS,
  codes: ["MSH0751", "MSH0752"],
  profile: "security",
  analyze: (input) => {
    const uses = usesOf(input);
    for (const grant of input.world.list("ReferenceGrant")) {
      checkFrom(input, grant, uses);
      checkTo(input, grant, uses);
    }
  },
});

interface Use {
  readonly from: Pick<ApiRef, "group" | "kind" | "namespace">;
  readonly to: ApiRef;
}

/** References that cross namespaces. */
function usesOf(input: Input): readonly Use[] {
  const ofRoutes = input.model.gatewayApi
    .routes()
    .flatMap(({ kind, ref, rules }) =>
      rules.flatMap(({ backends }) =>
        backends.map((to): Use => ({ from: { group: GATEWAY_GROUP, kind, namespace: ref.namespace }, to })),
      ),
    );
  const ofGateways = input.world.list("KubernetesGateway").flatMap(usesOfGateway);
  return [...ofRoutes, ...ofGateways].filter(({ from, to }) => from.namespace !== to.namespace);
}

/** Its certificates, and what it checks clients by. */
function usesOfGateway({ metadata, spec }: KindTypes["KubernetesGateway"]): readonly Use[] {
  const own = metadata.namespace ?? "";
  const from = { group: GATEWAY_GROUP, kind: "Gateway", namespace: own };
  const certificates = (spec?.listeners ?? []).flatMap(({ tls }) => tls?.certificateRefs ?? []);
  return [...certificates, ...authoritiesOf(spec?.tls?.frontend)].map(
    ({ group = "", kind = "Secret", name, namespace = own }): Use => ({ from, to: { group, kind, name, namespace } }),
  );
}

type Frontend = NonNullable<NonNullable<KindTypes["KubernetesGateway"]["spec"]>["tls"]>["frontend"];

function authoritiesOf(
  frontend: Frontend,
): readonly { readonly group?: string; readonly kind?: string; readonly name: string; readonly namespace?: string }[] {
  const configs = frontend === undefined ? [] : [frontend.default, ...(frontend.perPort ?? []).map(({ tls }) => tls)];
  return configs.flatMap(({ validation }) => validation?.caCertificateRefs ?? []);
}

/** Uses of a grant, by the place in its lists. */
function usesBy(
  grant: Grant,
  uses: readonly Use[],
  place: { readonly from?: number; readonly to?: number },
): readonly Use[] {
  const { from = [], to = [] } = grant.spec ?? {};
  const froms = place.from === undefined ? from : from.slice(place.from, place.from + 1);
  const tos = place.to === undefined ? to : to.slice(place.to, place.to + 1);
  return uses.filter(
    (use) =>
      use.to.namespace === grant.metadata.namespace &&
      froms.some(
        ({ group, kind, namespace }) =>
          group === use.from.group && kind === use.from.kind && namespace === use.from.namespace,
      ) &&
      tos.some(
        ({ group, kind, name }) =>
          group === use.to.group && kind === use.to.kind && (name ?? use.to.name) === use.to.name,
      ),
  );
}

function checkFrom({ report }: Input, grant: Grant, uses: readonly Use[]): void {
  const to = (grant.spec?.to ?? [])
    .map(({ kind, name }) => (name === undefined ? `a ${kind}` : `${kind} ${name}`))
    .join(" or ");
  for (const [index, { kind, namespace }] of (grant.spec?.from ?? []).entries())
    if (usesBy(grant, uses, { from: index }).length === 0)
      report(grant, ["spec", "from", index], "MSH0751", { from: `${kind} of ${namespace}`, to });
}

function checkTo({ world, report }: Input, grant: Grant, uses: readonly Use[]): void {
  for (const [index, { group, kind, name }] of (grant.spec?.to ?? []).entries()) {
    const granted = GRANTED.find((each) => each === kind);
    if (name !== undefined || group !== "" || granted === undefined) continue;
    const used = [...new Set(usesBy(grant, uses, { to: index }).map(({ to }) => to.name))].toSorted();
    const all = world.list(granted, grant.metadata.namespace).length;
    if (used.length > 0 && used.length < all)
      report(grant, ["spec", "to", index], "MSH0752", { kind, used: used.join(", ") });
  }
}
