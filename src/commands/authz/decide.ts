import type { ProxyConfig } from "../../ir/config.ts";
import type { Proxy } from "../../ir/proxy.ts";
import type { PolicyRule } from "../../ir/security.ts";
import { refText } from "../../resources/object.ts";
import { type AuthorizationStep, walkAuthorization } from "../../simulate/authorization.ts";
import { normalizePath } from "../../simulate/normalize-path.ts";
import type { SimulatedCall } from "../../simulate/rbac.ts";
import type { Address, SimulatedConnection, SimulatedRequest } from "../../simulate/request.ts";
import { tokenMetadata } from "../../simulate/token.ts";
import { enter } from "../../simulate/walk.ts";
import type { Messages } from "../../wire/codec.ts";
import { ALPN } from "../../xds/tls.ts";
import type { OfflineMesh } from "../offline/mesh.ts";
import { shortName } from "../offline/proxies.ts";
import { viewOf } from "../trace/view.ts";
import type { AskedCall } from "./asked.ts";

type Manager = Messages["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"];
type Jwt = Messages["envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"];

/** One thing that a policy, or the lack of one, said. */
export interface Reason {
  readonly action: AuthorizationStep["action"];
  readonly effect: AuthorizationStep["effect"];
  readonly dryRun?: boolean;
  /** `AuthorizationPolicy shop/viewer` and its rule; absent when no rule matched. */
  readonly policy?: string;
  readonly field?: string;
  readonly file?: string;
  readonly line?: number;
}

/** What becomes of the call, and why. */
export interface Decision {
  readonly to: string;
  readonly port: number;
  readonly decision: "allow" | "deny" | "ask" | "reset";
  /** HTTP status when refused; absent for connections and what passes. */
  readonly status?: number;
  readonly reasons: readonly Reason[];
}

/** Decides a call by the very filters that the server's proxy gets. `reset`: mutual TLS refuses the connection before that. */
export function decide({ mesh, positionOf }: OfflineMesh, server: Proxy, asked: AskedCall): Decision {
  const view = viewOf(mesh, server);
  const { address, listeners, captures } = doorOf(view.listeners(), server, asked.port);
  const destination = { address, port: asked.port };
  const { chosen, leads } = enter(listeners, captures, arriving(asked, destination));
  const at = { to: `${shortName(server)}.${server.namespace}`, port: asked.port };
  if (leads.kind === "nothing") return { ...at, decision: "reset", reasons: [] };
  const manager = leads.kind === "http" ? leads.manager : undefined;
  const filters = manager?.http_filters ?? chosen.chain?.filters ?? [];
  const request = manager && requestAt(manager, asked);
  if (request === "refused") return { ...at, decision: "deny", status: 400, reasons: [] };
  const { decision, steps } = walkAuthorization(filters, {
    ...callerOf(asked),
    destination,
    serverName: undefined,
    request,
  });
  const rules = rulesOf(view.config);
  const reasons = steps.map((step) => reasonOf(step, rules, positionOf));
  const status = decision === "deny" && manager !== undefined ? { status: 403 } : {};
  return { ...at, decision, ...status, reasons };
}

/** With an identity by mutual TLS of the mesh, else in plain text. */
function arriving({ principal, sourceIp }: AskedCall, destination: Address): SimulatedConnection {
  const isMesh = principal !== undefined;
  return {
    destination,
    source: { address: sourceIp, port: 40_000 },
    transport: isMesh ? "tls" : "raw_buffer",
    serverName: undefined,
    applicationProtocols: isMesh ? ALPN.h1 : ["http/1.1"],
  };
}

/** The request as the filters see it; refused: because of its path. */
function requestAt(manager: Manager, { request, claims }: AskedCall): SimulatedRequest | "refused" {
  const path = normalizePath(request.path, manager);
  if (path === undefined) return "refused";
  const jwt = manager.http_filters?.find(({ name }) => name === "envoy.filters.http.jwt_authn")?.typed_config;
  const metadata = claims === undefined || jwt === undefined ? {} : tokenMetadata(jwt as Jwt, claims);
  return { ...request, path, metadata };
}

type Listener = Messages["envoy.config.listener.v3.Listener"];

/** A sidecar's connections are captured; a gateway, and a sidecar that nothing redirects to, listens itself. */
function doorOf(all: readonly Listener[], server: Proxy, port: number) {
  const inbound = all.filter((listener) => listener.traffic_direction === "INBOUND");
  const listeners = server.type === "router" ? all : inbound;
  const own = listeners.find(({ address }) => address?.socket_address?.port_value === port);
  const bound = own?.address?.socket_address?.address;
  const address = bound === undefined || bound === "0.0.0.0" ? (server.addresses[0] ?? "") : bound;
  return { listeners, address, captures: ({ name }: Listener) => name === "virtualInbound" };
}

/** The rules of a proxy by the names that they have in Envoy. */
function rulesOf(config: ProxyConfig): ReadonlyMap<string, PolicyRule> {
  const security = config.inbound()?.security ?? config.gatewayListeners()[0]?.security;
  const { custom, audit, deny, allow } = security?.authorization ?? {};
  const all = [custom, audit, deny, allow].flatMap((set) => [...(set?.enforced ?? []), ...(set?.dryRun ?? [])]);
  return new Map(all.map((rule) => [rule.name, rule]));
}

function callerOf({ principal, sourceIp, remoteIp }: AskedCall): Pick<SimulatedCall, "peer" | "source" | "remote"> {
  return { peer: principal === undefined ? undefined : `spiffe://${principal}`, source: sourceIp, remote: remoteIp };
}

function reasonOf(
  { action, effect, dryRun, policy }: AuthorizationStep,
  rules: ReadonlyMap<string, PolicyRule>,
  positionOf: OfflineMesh["positionOf"],
): Reason {
  const rule = policy === undefined ? undefined : rules.get(policy);
  const said = { action, effect, ...(dryRun ? { dryRun } : {}) };
  if (rule === undefined) return said;
  const { from, path } = rule.provenance;
  const position = positionOf(from, path);
  const [, , index] = path;
  return {
    ...said,
    policy: refText(from),
    field: `spec.rules[${String(index)}]`,
    ...(position === undefined ? {} : { file: position.file, line: position.line }),
  };
}
