import type { Provenance } from "../ir/provenance.ts";
import type { KindTypes } from "../resources/kinds.ts";
import { refOf } from "../resources/object.ts";
import { hostKeys } from "../resources/world-store.ts";
import type { ModelContext } from "./context.ts";
import { type ResolvedRule, resolveRules } from "./delegates.ts";
import { bySpecificity, hostMatches, narrowerHost, resolveHost } from "./host.ts";
import { byAge, byText } from "./order.ts";
import type { Sidecars } from "./sidecars.ts";
import { visibleTo } from "./visibility.ts";

/** The object, with its spec. */
export type VirtualService = KindTypes["VirtualService"];

/** A VirtualService that rules a host, and the ones that would have. */
export interface BoundVirtualService {
  readonly object: VirtualService;
  /** The host as the object means it, full, e.g. `*.shop.svc.cluster.local`. */
  readonly host: string;
  /** For pieces made from it: `from` and `lost` filled, `path` the host's. */
  readonly provenance: Provenance;
}

/** A VirtualService on a gateway's server, for one host that both serve. */
export interface GatewayHost {
  readonly object: VirtualService;
  readonly host: string;
}

/** Questions about VirtualServices. */
export interface VirtualServices {
  /**
   * The one that rules a host for sidecars of `namespace`: the most specific host first, then the oldest. Under a Sidecar
   * (`namespace/name`) only those it imports.
   */
  forHost(namespace: string, host: string, sidecar?: string): BoundVirtualService | undefined;
  /** Whether the one that rules a host has tcp or tls rules. */
  routesTcp(namespace: string, host: string, sidecar?: string): boolean;
  /** Hosts (full) that VirtualServices bound to sidecars of `namespace` name, sorted. */
  meshHosts(namespace: string, sidecar?: string): readonly string[];
  /** Hosts (full) that the rules a Sidecar imports send traffic to, sorted. */
  destinationHosts(namespace: string, sidecar: string): readonly string[];
  /** Those on a gateway that serve one of a server's hosts (`ns/host`, `./host`, `host`), oldest first. */
  ofGatewayServer(
    gateway: { readonly namespace: string; readonly name: string },
    hosts: readonly string[],
  ): readonly GatewayHost[];
  /** The http rules of an object as they hold, delegates followed. */
  rules(object: VirtualService): readonly ResolvedRule[];
  /** Labels by which some match of a VirtualService seen from `namespace` tells callers apart, sorted. */
  sourceLabelKeys(namespace: string): readonly string[];
}

export function createVirtualServices(
  { world, derivations, domain, meshConfig }: ModelContext,
  sidecars: Sidecars,
): VirtualServices {
  const seen = ({ spec, metadata }: VirtualService, namespace: string): boolean =>
    visibleTo(spec?.exportTo, metadata.namespace ?? "", namespace, meshConfig().defaultVirtualServiceExportTo);
  const fullHosts = ({ spec, metadata }: VirtualService): readonly string[] =>
    (spec?.hosts ?? []).map((host) => resolveHost(host, metadata.namespace ?? "", domain));
  const isImported = (object: VirtualService, namespace: string, sidecar: string): boolean => {
    const by = sidecarNamed(world, sidecar);
    const rule = { hosts: fullHosts(object), namespace: object.metadata.namespace ?? "" };
    return by === undefined || sidecars.importsRule(by, namespace, rule);
  };
  const ofMesh = (namespace: string, sidecar: string): readonly VirtualService[] =>
    world
      .by("virtualServicesOfGateway", "mesh")
      .filter((object) => seen(object, namespace) && isImported(object, namespace, sidecar));

  const forHost = derivations.keyed("VirtualService of host", (namespace: string, host: string, sidecar: string) => {
    const candidates = new Set(hostKeys(host).flatMap((key) => world.by("virtualServicesOfHost", key)));
    const bound = [...candidates]
      .filter((object) => isOfMesh(object) && seen(object, namespace) && isImported(object, namespace, sidecar))
      .flatMap((object) => bestHost(object, fullHosts(object), host))
      .toSorted((a, b) => bySpecificity(a.host, b.host) || byAge(a.object, b.object));
    return boundFrom(bound);
  });
  const isRuled = derivations.keyed("has VirtualServices", (host: string) => isNamed(world, host));
  const routesTcp = derivations.keyed("routes TCP", (namespace: string, host: string, sidecar: string) => {
    const spec = forHost(namespace, host, sidecar)?.object.spec;
    return spec?.tcp !== undefined || spec?.tls !== undefined;
  });
  const hostsOfMesh = derivations.keyed("hosts of VirtualServices", (namespace: string, sidecar: string) =>
    [...new Set(ofMesh(namespace, sidecar).flatMap(fullHosts))].toSorted(byText),
  );
  const rules = (object: VirtualService): readonly ResolvedRule[] =>
    resolveRules({ domain, find: (...asked) => found(world, seen, asked) }, object);
  const sourceLabelKeys = derivations.keyed("source labels", (namespace: string): readonly string[] =>
    labelKeysOf(ofMesh(namespace, ""), rules),
  );
  const destinationHosts = derivations.keyed("destinations of VirtualServices", (namespace: string, sidecar: string) =>
    [...new Set(ofMesh(namespace, sidecar).flatMap((object) => targetsOf(object, rules(object), domain)))].toSorted(
      byText,
    ),
  );
  return {
    // Most hosts have none: one answer for all namespaces.
    forHost: (namespace, host, sidecar = "") => (isRuled(host) ? forHost(namespace, host, sidecar) : undefined),
    routesTcp: (namespace, host, sidecar = "") => isRuled(host) && routesTcp(namespace, host, sidecar),
    meshHosts: (namespace, sidecar = "") => hostsOfMesh(namespace, sidecar),
    destinationHosts,
    rules,
    sourceLabelKeys,
    ofGatewayServer: ({ namespace, name }, hosts) =>
      servedAt(
        world
          .by("virtualServicesOfGateway", `${namespace}/${name}`)
          .filter((object) => seen(object, namespace))
          .toSorted(byAge),
        { fullHosts, namespace, hosts },
      ),
  };
}

/** VirtualServices with each host that a server of a gateway in `namespace` serves of theirs. */
function servedAt(
  objects: readonly VirtualService[],
  at: {
    readonly fullHosts: (object: VirtualService) => readonly string[];
    readonly namespace: string;
    readonly hosts: readonly string[];
  },
): readonly { readonly object: VirtualService; readonly host: string }[] {
  return objects.flatMap((object) => {
    const served = at
      .fullHosts(object)
      .flatMap((host) => at.hosts.flatMap((server) => serverHost(server, at.namespace, object, host) ?? []));
    return [...new Set(served)].map((host) => ({ object, host }));
  });
}

/** Whether any VirtualService names a host, or a wildcard over it. */
function isNamed(world: ModelContext["world"], host: string): boolean {
  return hostKeys(host).some((key) => world.by("virtualServicesOfHost", key).length > 0);
}

/** The Sidecar that a key `namespace/name` means; undefined for the empty key. */
function sidecarNamed(world: ModelContext["world"], key: string): KindTypes["Sidecar"] | undefined {
  const slash = key.indexOf("/");
  return slash < 0 ? undefined : world.get("Sidecar", key.slice(0, slash), key.slice(slash + 1));
}

/** A VirtualService by name, if the namespace that names it may see it. */
function found(
  world: ModelContext["world"],
  seen: (object: VirtualService, namespace: string) => boolean,
  [namespace, name, from]: readonly [namespace: string, name: string, from: string],
): VirtualService | undefined {
  const object = world.get("VirtualService", namespace, name);
  return object !== undefined && seen(object, from) ? object : undefined;
}

/** Labels of callers that some match asks for. */
function labelKeysOf(
  objects: readonly VirtualService[],
  rules: (object: VirtualService) => readonly ResolvedRule[],
): readonly string[] {
  const matches = objects.flatMap((object) => [
    ...rules(object).map(({ rule }) => rule),
    ...(object.spec?.tcp ?? []),
    ...(object.spec?.tls ?? []),
  ]);
  const keys = matches.flatMap(({ match = [] }) => match.flatMap(({ sourceLabels = {} }) => Object.keys(sourceLabels)));
  return [...new Set(keys)].toSorted(byText);
}

/** Full hosts that an object's rules send traffic to, copies included. */
function targetsOf(object: VirtualService, rules: readonly ResolvedRule[], domain: string): readonly string[] {
  const full = (host: string, owner: VirtualService): string =>
    resolveHost(host, owner.metadata.namespace ?? "", domain);
  const http = rules.flatMap(({ rule, object: owner }) =>
    [
      ...(rule.route ?? []).map(({ destination }) => destination),
      ...(rule.mirrors ?? []).map(({ destination }) => destination),
      ...(rule.mirror === undefined ? [] : [rule.mirror]),
    ].map(({ host }) => full(host, owner)),
  );
  const { tls = [], tcp = [] } = object.spec ?? {};
  const bytes = [...tls, ...tcp].flatMap(({ route = [] }) => route.map(({ destination }) => destination.host));
  return [...http, ...bytes.map((host) => full(host, object))];
}

function isOfMesh({ spec }: VirtualService): boolean {
  const { gateways = [] } = spec ?? {};
  return gateways.length === 0 || gateways.includes("mesh");
}

interface Candidate {
  readonly object: VirtualService;
  readonly host: string;
  readonly index: number;
}

function bestHost(object: VirtualService, hosts: readonly string[], wanted: string): readonly Candidate[] {
  return hosts
    .flatMap((host, index) => (hostMatches(host, wanted) ? [{ object, host, index }] : []))
    .toSorted((a, b) => bySpecificity(a.host, b.host))
    .slice(0, 1);
}

function boundFrom([winner, ...others]: readonly Candidate[]): BoundVirtualService | undefined {
  if (winner === undefined) return undefined;
  const lost = others.map(({ object, host, index }) => ({
    from: refOf(object),
    path: ["spec", "hosts", index],
    reason: host === winner.host ? "older VirtualService wins" : "a more specific host wins",
  }));
  const path = ["spec", "hosts", winner.index];
  return { object: winner.object, host: winner.host, provenance: { from: refOf(winner.object), path, lost } };
}

/** The narrower of a server's host and a VirtualService's, when the server takes VirtualServices of that namespace. */
function serverHost(
  server: string,
  gatewayNamespace: string,
  { metadata }: VirtualService,
  host: string,
): string | undefined {
  const slash = server.indexOf("/");
  const from = slash < 0 ? "*" : server.slice(0, slash);
  const namespace = from === "." ? gatewayNamespace : from;
  if (namespace !== "*" && namespace !== metadata.namespace) return undefined;
  return narrowerHost(server.slice(slash + 1), host);
}
