import type { FieldPath } from "../../diagnostics/finding.ts";
import { hostMatches, resolveHost } from "../../model/host.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { canTellHost, hostHint } from "./shared-hosts.ts";

/**
 * Requests whose route names a service, subset or port that does not exist are answered 503 by the proxy (response flag NC
 * or NR). See https://istio.io/latest/docs/reference/config/analysis/ist0101/.
 */
export const virtualserviceDestination = defineAnalyzer({
  name: "virtualservice-destination",
  summary: "Checks that hosts, subsets and ports that VirtualServices route to exist.",
  reads: ["VirtualService", "DestinationRule", "Service", "ServiceEntry", "ConfigMap"],
  codes: ["IST0101", "IST0112"],
  analyze: (input) => {
    const subsets = collectSubsets(input);
    for (const object of input.world.list("VirtualService"))
      for (const use of destinationsOf(object)) {
        const host = resolveHost(use.destination.host, object.metadata.namespace ?? "", input.model.domain);
        const missing = checkHost(input, object, use, host) === "missing";
        if (use.destination.subset !== undefined && !missing)
          checkSubset(input, object, use, { host, defined: subsets(host) });
      }
  },
});

type VirtualService = KindTypes["VirtualService"];
type HttpRule = NonNullable<NonNullable<VirtualService["spec"]>["http"]>[number];
type Destination = NonNullable<HttpRule["mirror"]>;
type MeshService = NonNullable<ReturnType<Input["model"]["services"]["visible"]>>;
type Input = AnalyzerInput<
  "VirtualService" | "DestinationRule" | "Service" | "ServiceEntry" | "ConfigMap",
  "IST0101" | "IST0112"
>;

interface Use {
  readonly destination: Destination;
  readonly path: FieldPath;
  /** Istio's word for what is missing: `host` or `mirror host`. */
  readonly role: "" | "mirror ";
}

/** Every place of a VirtualService that names a service. */
function destinationsOf({ spec }: VirtualService): readonly Use[] {
  const uses: Use[] = [];
  for (const protocol of ["http", "tls", "tcp"] as const)
    spec?.[protocol]?.forEach(({ route }, index) =>
      route?.forEach(({ destination }, position) =>
        uses.push({ destination, path: ["spec", protocol, index, "route", position, "destination"], role: "" }),
      ),
    );
  spec?.http?.forEach((rule, index) => {
    if (rule.mirror !== undefined || rule.mirrors !== undefined) uses.push(...mirrorsOf(rule, ["spec", "http", index]));
  });
  return uses;
}

function mirrorsOf({ mirror, mirrors = [] }: HttpRule, at: FieldPath): readonly Use[] {
  const role = "mirror " as const;
  const several = mirrors.map(({ destination }, index) => ({
    destination,
    path: [...at, "mirrors", index, "destination"],
    role,
  }));
  return mirror === undefined ? several : [{ destination: mirror, path: [...at, "mirror"], role }, ...several];
}

/** "missing" when the host was reported: of its subsets nothing can be said then. */
function checkHost(input: Input, object: VirtualService, use: Use, host: string): "missing" | undefined {
  const namespace = object.metadata.namespace ?? "";
  const service = input.model.services.visible(namespace, host);
  if (service !== undefined) checkPort(input, object, use, service);
  if (service !== undefined || input.model.hosts.exists(namespace, host)) return undefined;
  if (!canTellHost(input, namespace, host)) {
    input.unknown(`host ${host}: no service of its namespace is in the files`);
    return undefined;
  }
  input.report(object, [...use.path, "host"], "IST0101", {
    what: `${use.role}host`,
    name: use.destination.host,
    where: hostHint(input, namespace, host),
  });
  return "missing";
}

function checkPort(input: Input, object: VirtualService, use: Use, service: MeshService): void {
  const number = use.destination.port?.number;
  if (number === undefined) {
    if (service.ports.length > 1 && service.from.kind === "Service")
      input.report(object, use.path, "IST0112", { host: use.destination.host, count: service.ports.length });
    return;
  }
  if (service.ports.some((port) => port.number === number)) return;
  const ports = service.ports.map((port) => port.number).join(", ");
  input.report(object, [...use.path, "port", "number"], "IST0101", {
    what: `${use.role}host:port`,
    name: `${use.destination.host}:${number}`,
    where: `Use a port of the service: ${ports}.`,
  });
}

/** Subsets that DestinationRules define, by full host. As Istio: a rule of any namespace counts, whoever sees it. */
function collectSubsets({ world, model }: Input): (host: string) => readonly string[] {
  const byHost = new Map<string, string[]>();
  for (const { spec, metadata } of world.list("DestinationRule")) {
    const host = resolveHost(spec?.host ?? "", metadata.namespace ?? "", model.domain);
    const names = byHost.get(host) ?? [];
    names.push(...(spec?.subsets?.map(({ name }) => name) ?? []));
    byHost.set(host, names);
  }
  const wildcards = [...byHost.keys()].filter((host) => host.startsWith("*"));
  return (host) => {
    const covering = wildcards.filter((pattern) => pattern !== host && hostMatches(pattern, host));
    return [...new Set([host, ...covering].flatMap((key) => byHost.get(key) ?? []))];
  };
}

function checkSubset(
  input: Input,
  object: VirtualService,
  use: Use,
  { host, defined }: { readonly host: string; readonly defined: readonly string[] },
): void {
  const subset = use.destination.subset ?? "";
  if (defined.includes(subset)) return;
  input.report(object, [...use.path, "subset"], "IST0101", {
    what: use.role === "" ? "host+subset in destinationrule" : "mirror+subset in destinationrule",
    name: `${use.destination.host}+${subset}`,
    where:
      defined.length > 0
        ? `Use one of the subsets that DestinationRules define for ${host}: ${defined.join(", ")}.`
        : `Define the subset in a DestinationRule for ${host}; there is none.`,
  });
}
