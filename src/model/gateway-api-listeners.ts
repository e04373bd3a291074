import type { FieldPath } from "../diagnostics/finding.ts";
import { refOf } from "../resources/object.ts";
import type { ModelContext } from "./context.ts";
import type { ApiSecrets } from "./gateway-api-secrets.ts";
import { type ApiGateway, GATEWAY_GROUP, type Listener, type Problem, type RouteKind } from "./gateway-api-types.ts";
import { narrowerHost } from "./host.ts";
import { type LabelSelector, matchesSelector } from "./label-selector.ts";

type Spec = NonNullable<ApiGateway["spec"]>;
type Written = Spec["listeners"][number];

/** Questions about the listeners of Gateways. */
export interface ApiListeners {
  /** In the order of the Gateway's list; also those with problems. */
  readonly of: (namespace: string, name: string) => readonly Listener[];
  /** Whether routes of a namespace may be attached; undefined when the namespace's labels decide and are not known. */
  readonly admits: (listener: Listener, namespace: string) => boolean | undefined;
}

export function createApiListeners({ world, derivations }: ModelContext, secrets: ApiSecrets): ApiListeners {
  const of = derivations.keyed("api listeners", (namespace: string, name: string): readonly Listener[] => {
    const gateway = world.get("KubernetesGateway", namespace, name);
    if (gateway?.spec === undefined) return [];
    const read = (gateway.spec.listeners ?? []).map((written, index) => readListener(gateway, written, index));
    return withConflicts(read);
  });
  const readListener = (gateway: ApiGateway, written: Written, index: number): Listener => {
    const path: FieldPath = ["spec", "listeners", index];
    const { kinds, problems } = kindsOf(written, path);
    const mode = modeOf(written);
    return {
      gateway: refOf(gateway),
      index,
      name: written.name,
      port: written.port,
      protocol: written.protocol,
      hostname: written.hostname === undefined || written.hostname === "" ? "*" : written.hostname,
      mode,
      kinds,
      certificates: mode === "Terminate" ? certificatesOf(gateway, written) : [],
      authorityRefs: authorityRefsOf(gateway, written).refs.length,
      problems: [...problems, ...tlsProblems(gateway, written, path, secrets)],
      overlaps: [],
    };
  };
  const selected = (namespace: string, selector: unknown): boolean | undefined => {
    const object = world.get("Namespace", "", namespace);
    const labels = { "kubernetes.io/metadata.name": namespace, ...object?.metadata.labels };
    const matches = matchesSelector((selector ?? {}) as LabelSelector, labels);
    return matches || object !== undefined ? matches : undefined;
  };
  const admits = derivations.keyed(
    "api listener admits",
    (owner: string, name: string, index: number, namespace: string): boolean | undefined => {
      const spec = world.get("KubernetesGateway", owner, name)?.spec;
      const { from, selector } = spec?.listeners[index]?.allowedRoutes?.namespaces ?? {};
      if (from === "All") return true;
      return from === "Selector" ? selected(namespace, selector) : namespace === owner;
    },
  );
  return {
    of,
    admits: ({ gateway, index }, namespace) => admits(gateway.namespace, gateway.name, index, namespace),
  };
}

const TLS_PROTOCOLS: readonly string[] = ["HTTPS", "TLS"];

function modeOf({ protocol, tls }: Written): Listener["mode"] {
  return TLS_PROTOCOLS.includes(protocol) ? (tls?.mode ?? "Terminate") : undefined;
}

/** Kinds of routes by protocol; TLS that ends here carries plain bytes on. */
function supportedKinds(written: Written): readonly RouteKind[] | undefined {
  switch (written.protocol) {
    case "HTTP":
    case "HTTPS":
      return ["HTTPRoute", "GRPCRoute"];
    case "TLS":
      return modeOf(written) === "Passthrough" ? ["TLSRoute"] : ["TLSRoute", "TCPRoute"];
    case "TCP":
      return ["TCPRoute"];
    case "HBONE":
      return [];
    default:
      return undefined;
  }
}

function kindsOf(
  written: Written,
  path: FieldPath,
): { readonly kinds: readonly RouteKind[]; readonly problems: readonly Problem[] } {
  const supported = supportedKinds(written);
  if (supported === undefined)
    return {
      kinds: [],
      problems: [{ code: "MSH0712", path: [...path, "protocol"], args: { protocol: written.protocol } }],
    };
  const allowed = written.allowedRoutes?.kinds ?? [];
  if (allowed.length === 0) return { kinds: supported, problems: [] };
  const fits = ({ group = GATEWAY_GROUP, kind }: (typeof allowed)[number]): boolean =>
    group === GATEWAY_GROUP && (supported as readonly string[]).includes(kind);
  const problems = allowed.flatMap((each, at): readonly Problem[] =>
    fits(each)
      ? []
      : [
          {
            code: "MSH0713",
            path: [...path, "allowedRoutes", "kinds", at, "kind"],
            args: { kind: each.kind, protocol: written.protocol, supported: supported.join(" or ") },
          },
        ],
  );
  return { kinds: supported.filter((kind) => allowed.some((each) => fits(each) && each.kind === kind)), problems };
}

function certificatesOf(gateway: ApiGateway, { tls }: Written): Listener["certificates"] {
  const own = gateway.metadata.namespace ?? "";
  return (tls?.certificateRefs ?? []).map(({ name, namespace = own }) => ({ namespace, name }));
}

/** Options with which Istio takes the certificate of the mesh itself. */
const MESH_CERTIFICATE: readonly (string | undefined)[] = ["ISTIO_MUTUAL", "ISTIO_SIMPLE"];

function tlsProblems(gateway: ApiGateway, written: Written, path: FieldPath, secrets: ApiSecrets): readonly Problem[] {
  if (modeOf(written) !== "Terminate") return [];
  if (MESH_CERTIFICATE.includes(written.tls?.options?.["gateway.istio.io/tls-terminate-mode"])) return [];
  const from = { group: GATEWAY_GROUP, kind: "Gateway", namespace: gateway.metadata.namespace ?? "" };
  const refs = written.tls?.certificateRefs ?? [];
  const missing: readonly Problem[] =
    refs.length > 0
      ? []
      : [
          {
            code: "MSH0714",
            path: [...path, "tls"],
            args: { what: "", problem: "TLS ends at this listener, and it has no certificateRefs" },
          },
        ];
  return [
    ...missing,
    ...refs.flatMap((ref, at) => secrets.certificateProblem(from, ref, [...path, "tls", "certificateRefs", at]) ?? []),
    ...authorityProblems(gateway, written, secrets),
  ];
}

type Authorities = NonNullable<
  NonNullable<NonNullable<Spec["tls"]>["frontend"]>["default"]["validation"]
>["caCertificateRefs"];

/** Client certificates are asked for per Gateway, or per port of it. */
function authorityRefsOf(
  { spec }: ApiGateway,
  written: Written,
): { readonly refs: Authorities; readonly path: FieldPath } {
  const frontend = spec?.tls?.frontend;
  if (frontend === undefined || written.protocol !== "HTTPS") return { refs: [], path: [] };
  const perPort = frontend.perPort ?? [];
  const at = perPort.findIndex(({ port }) => port === written.port);
  const config = perPort[at]?.tls ?? frontend.default;
  const place: FieldPath = at < 0 ? ["default"] : ["perPort", at, "tls"];
  const path: FieldPath = ["spec", "tls", "frontend", ...place, "validation", "caCertificateRefs"];
  return { refs: config.validation?.caCertificateRefs ?? [], path };
}

function authorityProblems(gateway: ApiGateway, written: Written, secrets: ApiSecrets): readonly Problem[] {
  const { refs, path } = authorityRefsOf(gateway, written);
  const namespace = gateway.metadata.namespace ?? "";
  return refs.flatMap((ref, index) => authorityProblem({ namespace, ref, path: [...path, index] }, secrets) ?? []);
}

interface AuthorityPlace {
  readonly namespace: string;
  readonly ref: Parameters<ApiSecrets["authorityProblem"]>[1];
  readonly path: FieldPath;
}

function authorityProblem({ namespace, ref, path }: AuthorityPlace, secrets: ApiSecrets): Problem | undefined {
  const found = secrets.authorityProblem({ group: GATEWAY_GROUP, kind: "Gateway", namespace }, ref);
  if (found === undefined) return undefined;
  const { what, problem, needs, refused, wrongKind } = found;
  if (refused === true)
    return { code: "MSH0719", path, args: { what, from: `Gateway of ${namespace}`, namespace: ref.namespace ?? "" } };
  return {
    code: "MSH0716",
    path,
    args: { what, problem },
    ...(needs === undefined ? {} : { needs }),
    ...(wrongKind === true ? { reason: "InvalidCACertificateKind" } : {}),
  };
}

/** Of listeners that cannot stand side by side the first stays. */
function withConflicts(listeners: readonly Listener[]): readonly Listener[] {
  const standing: Listener[] = [];
  const judged = listeners.map((listener) => {
    const rival = standing.find((other) => !coexist(listener, other));
    if (rival === undefined) {
      standing.push(listener);
      return listener;
    }
    return { ...listener, problems: [conflict(listener, rival), ...listener.problems] };
  });
  return judged.map((listener) =>
    standing.some(({ index }) => index === listener.index)
      ? { ...listener, overlaps: overlapsOf(listener, standing) }
      : listener,
  );
}

/** Protocols that share a port by host name. */
function sharing(protocol: string): string {
  return TLS_PROTOCOLS.includes(protocol) ? "by server name" : protocol === "HTTP" ? "by host" : `alone as ${protocol}`;
}

function coexist(a: Listener, b: Listener): boolean {
  if (a.port !== b.port) return true;
  return sharing(a.protocol) === sharing(b.protocol) && a.hostname !== b.hostname && a.protocol !== "TCP";
}

function conflict(listener: Listener, rival: Listener): Problem {
  const path: FieldPath = ["spec", "listeners", listener.index, "port"];
  const { name, port, hostname, protocol } = listener;
  if (sharing(protocol) === sharing(rival.protocol) && protocol !== "TCP")
    return { code: "MSH0710", path, args: { listener: name, other: rival.name, port, hostname } };
  return {
    code: "MSH0711",
    path,
    args: { listener: name, other: rival.name, port, protocols: `${rival.protocol} there, ${protocol} here` },
  };
}

/** HTTPS listeners on one port whose hostnames or certificates overlap: HTTP/2 clients may take one connection for both. */
function overlapsOf(listener: Listener, all: readonly Listener[]): readonly Problem[] {
  if (listener.protocol !== "HTTPS" || listener.mode !== "Terminate") return [];
  const others = all.filter(
    (other) => other.index !== listener.index && other.protocol === "HTTPS" && other.port === listener.port,
  );
  const problem = (other: Listener, by: string): Problem => ({
    code: "MSH0717",
    path: ["spec", "listeners", listener.index, "hostname"],
    args: { listener: listener.name, other: other.name, by, port: listener.port },
  });
  const byHost = others.find(({ hostname }) => narrowerHost(hostname, listener.hostname) !== undefined);
  if (byHost !== undefined) return [problem(byHost, "hostnames")];
  const byCertificate = others.find(({ certificates }) =>
    certificates.some(({ namespace, name }) =>
      listener.certificates.some((own) => own.namespace === namespace && own.name === name),
    ),
  );
  return byCertificate === undefined ? [] : [problem(byCertificate, "certificates")];
}
