import type { Proxy } from "../../ir/proxy.ts";
import type { PolicyRule } from "../../ir/security.ts";
import { refText } from "../../resources/object.ts";
import { type AuthorizationStep, walkAuthorization } from "../../simulate/authorization.ts";
import { normalizePath } from "../../simulate/normalize-path.ts";
import { tokenMetadata } from "../../simulate/token.ts";
import { enter } from "../../simulate/walk.ts";
import type { Messages } from "../../wire/codec.ts";
import { ALPN } from "../../xds/tls.ts";
import type { OfflineMesh } from "../offline/mesh.ts";
import { shortName } from "../offline/proxies.ts";
import { viewOf } from "../trace/view.ts";
import type { AskedCall } from "./asked.ts";

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
  const isMesh = asked.principal !== undefined;
  const entered = enter(listeners, captures, {
    destination,
    source: { address: asked.sourceIp, port: 40_000 },
    transport: isMesh ? "tls" : "raw_buffer",
    serverName: undefined,
    applicationProtocols: isMesh ? ALPN.h1 : ["http/1.1"],
  });
  const to = `${shortName(server)}.${server.namespace}`;
  if (entered.leads.kind === "nothing") return { to, port: asked.port, decision: "reset", reasons: [] };
  const manager = entered.leads.kind === "http" ? entered.leads.manager : undefined;
  const filters = manager?.http_filters ?? entered.chosen.chain?.filters ?? [];
  const path = manager === undefined ? asked.request.path : normalizePath(asked.request.path, manager);
  if (path === undefined) return { to, port: asked.port, decision: "deny", status: 400, reasons: [] };
  const jwt = filters.find(({ name }) => name === "envoy.filters.http.jwt_authn")?.typed_config;
  const metadata = asked.claims === undefined || jwt === undefined ? {} : tokenMetadata(jwt as Jwt, asked.claims);
  const { decision, steps } = walkAuthorization(filters, {
    peer: asked.principal === undefined ? undefined : `spiffe://${asked.principal}`,
    source: asked.sourceIp,
    remote: asked.remoteIp,
    destination,
    serverName: undefined,
    request: manager === undefined ? undefined : { ...asked.request, path, metadata },
  });
  const rules = rulesOf(view.config.inbound()?.security ?? view.config.gatewayListeners()[0]?.security);
  const reasons = steps.map((step) => reasonOf(step, rules, positionOf));
  const status = decision === "deny" && manager !== undefined ? { status: 403 } : {};
  return { to, port: asked.port, decision, ...status, reasons };
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

type Security = NonNullable<ReturnType<ReturnType<typeof viewOf>["config"]["inbound"]>>["security"];

/** The rules of a proxy by the names that they have in Envoy. */
function rulesOf(security: Security): ReadonlyMap<string, PolicyRule> {
  const { custom, audit, deny, allow } = security?.authorization ?? {};
  const all = [custom, audit, deny, allow].flatMap((set) => [...(set?.enforced ?? []), ...(set?.dryRun ?? [])]);
  return new Map(all.map((rule) => [rule.name, rule]));
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
