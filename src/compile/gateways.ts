import type { GatewayListener } from "../ir/listener.ts";
import { explicitPort } from "../base/explicit-port.ts";
import { meshAddress } from "../model/explicit-bind.ts";
import type { Gateway } from "../model/gateways.ts";
import type { Model } from "../model/model.ts";
import { byText } from "../model/order.ts";
import { refOf } from "../resources/object.ts";
import type { CompileContext } from "./context.ts";
import { apiServers } from "./gateway-api/servers.ts";
import { extensionFilters, scopeExtensions } from "./extensions.ts";
import { bareHosts, chainsOf, distinctChains, plainChain } from "./gateway-chains.ts";
import { quicListener } from "./gateway-http3.ts";
import { terminates } from "./gateway-tls.ts";
import { ingressServers } from "./ingress/servers.ts";
import type { ScopeFacts } from "./scope.ts";
import type { PlacedServer } from "./placed-server.ts";
import { securityOf } from "./security/security.ts";

type Server = NonNullable<NonNullable<Gateway["spec"]>["servers"]>[number];

/** What a gateway pod's listeners come from. */
export interface GatewayPlan {
  /** Servers of all Gateways that select the pod, the older Gateway's first, without those that lost their port. */
  servers(scope: string): readonly PlacedServer[];
  /** Sorted by name. */
  listeners(scope: string): readonly GatewayListener[];
}

export function createGatewayPlan(context: CompileContext): GatewayPlan {
  const { model, derivations } = context;
  const servers = derivations.keyed("gateway servers", (scope: string): readonly PlacedServer[] => {
    const facts = context.scope(scope);
    const placed = model.gateways
      .selecting(facts.labels)
      .flatMap((gateway) =>
        (gateway.spec?.servers ?? []).flatMap((server, index) => place(model, facts, { gateway, server, index }) ?? []),
      );
    const listeners = apiServers(model, facts).flatMap(({ api, provenance, ...source }): readonly PlacedServer[] => {
      const server = place(model, facts, { ...source, index: 0 });
      return server === undefined ? [] : [{ ...server, api, provenance }];
    });
    const ingress = ingressServers(model, facts.labels).flatMap(
      ({ provenance, ...source }): readonly PlacedServer[] => {
        const server = place(model, facts, { ...source, index: 0 });
        return server === undefined ? [] : [{ ...server, ingress: true, provenance }];
      },
    );
    return withoutConflicts([...placed, ...listeners, ...ingress]);
  });
  const listeners = derivations.keyed("gateway listeners", (scope: string): readonly GatewayListener[] => {
    const groups = new Map<string, PlacedServer[]>();
    for (const server of servers(scope)) {
      const name = `${server.address}_${server.port}`;
      groups.set(name, [...(groups.get(name) ?? []), server]);
    }
    const security = securityOf(model, context.scope(scope));
    return [...groups]
      .toSorted(([a], [b]) => byText(a, b))
      .flatMap(([name, group]) => listenersOf(model, context.scope(scope), name, group))
      .map((listener) => (security === undefined ? listener : { ...listener, security }))
      .map((listener) => extended(model, context.scope(scope), listener, groups.get(listener.name) ?? []))
      .map((listener) => context.telemetry.with(listener, context.telemetry.ofScope(scope)));
  });
  return { servers, listeners };
}

const HTTP: readonly string[] = ["HTTP", "HTTP2", "GRPC", "GRPC-WEB"];
const BYTES: readonly string[] = ["TCP", "MONGO", "MYSQL", "REDIS"];

/** How a server's protocol is served; undefined for what has no effect. */
function kindOf({ port, tls }: Server): GatewayListener["kind"] | undefined {
  const protocol = port.protocol.toUpperCase();
  if (HTTP.includes(protocol)) return "http";
  if (BYTES.includes(protocol)) return tls === undefined ? "tcp" : "tls";
  // without settings nothing says how: Istio refuses it
  return tls !== undefined && (protocol === "HTTPS" || protocol === "TLS") ? "tls" : undefined;
}

const ANY = "0.0.0.0";

interface ServerSource {
  readonly gateway: Gateway;
  readonly server: Server;
  readonly index: number;
}

function place(model: Model, facts: ScopeFacts, { gateway, server, index }: ServerSource): PlacedServer | undefined {
  const kind = kindOf(server);
  if (kind === undefined) return undefined;
  const { name, namespace = "" } = gateway.metadata;
  const listenPort = model.gateways.listenPort(facts, server.port.number);
  const port = facts.bind === null ? listenPort : explicitPort(listenPort);
  const bind = server.bind === undefined || server.bind === "" ? ANY : server.bind;
  const suffix = facts.bind !== null || bind === ANY ? "" : `.${bind}`;
  return {
    gateway: { namespace, name },
    server,
    address: facts.bind === null ? bind : meshAddress(facts.bind),
    port,
    kind,
    table: kind === "http" ? `http.${port}${suffix}` : httpsTable(gateway, server, suffix),
    provenance: { from: refOf(gateway), path: ["spec", "servers", index], lost: [] },
  };
}

/** A server whose TLS ends here and that has HTTP inside has a table of its own. */
function httpsTable({ metadata }: Gateway, { port, tls }: Server, suffix: string): string | undefined {
  if (port.protocol.toUpperCase() !== "HTTPS" || !terminates(tls?.mode)) return undefined;
  return `https.${port.number}.${port.name}.${metadata.name}.${metadata.namespace ?? ""}${suffix}`;
}

/** A port serves one kind; TLS servers of a port have different hosts. Who comes first stays, and remembers who lost. */
function withoutConflicts(placed: readonly PlacedServer[]): readonly PlacedServer[] {
  const kept: PlacedServer[] = [];
  for (const server of placed) {
    const index = kept.findIndex(
      (other) =>
        other.address === server.address && other.port === server.port && conflict(other, server) !== undefined,
    );
    const winner = kept[index];
    if (winner === undefined) {
      kept.push(server);
      continue;
    }
    const reason = conflict(winner, server) ?? "";
    const lost = { from: server.provenance.from, path: server.provenance.path, reason };
    kept[index] = { ...winner, provenance: { ...winner.provenance, lost: [...winner.provenance.lost, lost] } };
  }
  return kept;
}

function conflict(first: PlacedServer, second: PlacedServer): string | undefined {
  if (first.kind !== second.kind) return `the port already serves ${first.kind}`;
  if (first.kind === "http") return undefined;
  if (first.kind === "tcp") return "the port already serves another TCP server";
  const taken = bareHosts(first.server);
  const shared = bareHosts(second.server).find((host) => taken.includes(host));
  return shared === undefined ? undefined : `host ${shared} is already served on this port`;
}

/** The listener of a port, and the one of QUIC beside it. */
function listenersOf(
  model: Model,
  facts: ScopeFacts,
  name: string,
  group: readonly PlacedServer[],
): readonly GatewayListener[] {
  const [first] = group;
  if (first === undefined) return [];
  const chains =
    first.kind === "http"
      ? [plainChain(group, first)]
      : distinctChains(group.flatMap((server) => chainsOf(model, facts, server)));
  if (chains.length === 0) return [];
  const listener = { name, address: first.address, port: first.port, kind: first.kind, chains };
  const quic = quicListener(model, facts, { servers: group, listener });
  return quic === undefined ? [listener] : [listener, quic];
}

/** With the filters of extensions; these may name the server's port or the one that the pod listens on. */
function extended(
  model: Model,
  facts: ScopeFacts,
  listener: GatewayListener,
  servers: readonly PlacedServer[],
): GatewayListener {
  const explicit = facts.bind !== null;
  const asked = servers.map(({ server }) => (explicit ? explicitPort(server.port.number) : server.port.number));
  const ports = [...new Set([...asked, listener.port])];
  const filters = extensionFilters(scopeExtensions(model, facts), { side: "CLIENT", ports, explicit });
  return filters === undefined ? listener : { ...listener, extensions: filters };
}
