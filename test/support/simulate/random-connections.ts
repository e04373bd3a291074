import type { KubeObject } from "../../../src/resources/object.ts";
import type { Dice } from "./dice.ts";

// Random rules for connections whose bytes no proxy reads: by port and source, with weights, and policies for whoever is reached.

export const NAMESPACE = "streams";
/** Services; each is reached at a port of the gateway too, counted from GATEWAY_PORT. */
export const SERVICES = Array.from({ length: 16 }, (_, index) => `t${index}`);
export const GATEWAY_PORT = 7_100;
/** Service ports: told by the first bytes, a protocol of bytes, one whose server speaks first, HTTP. */
export const SERVICE_PORTS = [81, 90, 91, 80];
/** A port that no service has. */
export const NO_PORT = 95;

/** What servers listen on behind those that are no HTTP. */
const TARGETS = ["8081", "9000", "9001"];

const SELECTORS = [
  { app: "echo", version: "v1" },
  { app: "echo", version: "v2" },
  { app: "echo", version: "v3" },
  { app: "guard" },
  { app: "guard" },
  { app: "nobody" },
];

/** Services, rules of the sidecar and of the gateway, and policies of those who are called. */
export function randomConnectionObjects(roll: Dice): readonly KubeObject[] {
  const rules = SERVICES.filter(() => roll.chance(0.5)).map((name) =>
    object("networking.istio.io/v1 VirtualService", name, { hosts: [name], tcp: routes(roll, name) }),
  );
  const plain = SERVICES.filter(() => roll.chance(0.25)).map((name) =>
    object("networking.istio.io/v1 DestinationRule", name, {
      host: name,
      trafficPolicy: { tls: { mode: "DISABLE" } },
    }),
  );
  const ports = SERVICES.map((_, index) => GATEWAY_PORT + index);
  return [
    ...SERVICES.map((name) => object("v1 Service", name, { selector: roll.pick(SELECTORS) })),
    ...rules,
    ...plain,
    object("networking.istio.io/v1 Gateway", "streams", {
      selector: { istio: "gateway" },
      servers: ports.map((number) => ({ port: { number, name: `tcp-${number}`, protocol: "TCP" }, hosts: ["*"] })),
    }),
    object("networking.istio.io/v1 VirtualService", "streams", {
      hosts: ["*"],
      gateways: ["streams"],
      tcp: ports.map((port, index) => ({
        match: [{ port }],
        // a gateway that refuses has let a server speak first
        route: destinations(roll, SERVICES[index] ?? "", [81, 90]),
      })),
    }),
    ...policies(roll, "servers", { app: "echo", version: "v1" }, true),
    ...policies(roll, "servers", { app: "echo", version: "v2" }, true),
    ...policies(roll, "guarded", { app: "guard" }, false),
  ];
}

function routes(roll: Dice, name: string): readonly unknown[] {
  const matched = Array.from({ length: 1 + roll.int(2) }, () => ({
    match: [
      {
        port: roll.pick([81, 90, 91]),
        ...(roll.chance(0.4) ? { sourceLabels: roll.pick([{ app: "client" }, { app: "other" }]) } : {}),
      },
    ],
    route: destinations(roll, name),
  }));
  return roll.chance(0.7) ? [...matched, { route: destinations(roll, name) }] : matched;
}

function destinations(roll: Dice, name: string, ports = [81, 90, 91, 80]): readonly unknown[] {
  const to = (host: string): object => ({ destination: { host, port: { number: roll.pick(ports) } } });
  if (roll.chance(0.6)) return [to(roll.chance(0.5) ? name : roll.pick(SERVICES))];
  return [
    { ...to(roll.pick(SERVICES)), weight: 50 },
    { ...to(roll.pick(SERVICES)), weight: 50 },
  ];
}

const SOURCES: Readonly<Record<string, readonly string[]>> = {
  principals: ["cluster.local/ns/traffic/sa/client", "*/sa/gateway", "*"],
  namespaces: ["traffic", "other"],
  ipBlocks: ["10.0.0.0/8", "127.0.0.0/8"],
};

/** Some callers are let in at each port, some are turned away. `others`: everybody is, at ports of requests. */
function policies(
  roll: Dice,
  namespace: string,
  matchLabels: Readonly<Record<string, string>>,
  others: boolean,
): readonly KubeObject[] {
  const made = (action: string, rules: readonly unknown[]): KubeObject => ({
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: `${NAMESPACE}-${Object.values(matchLabels).join("-")}-${action.toLowerCase()}`, namespace },
    spec: { selector: { matchLabels }, action, rules },
  });
  const rest = others ? [{ to: [{ operation: { notPorts: TARGETS } }] }] : [];
  const allow = TARGETS.filter(() => roll.chance(0.8)).map((port) => rule(roll, port, 0.6));
  const deny = TARGETS.filter(() => roll.chance(0.3)).map((port) => rule(roll, port, 1));
  return [made("ALLOW", [...rest, ...allow]), ...(deny.length === 0 ? [] : [made("DENY", deny)])];
}

function rule(roll: Dice, port: string, chance: number): unknown {
  const field = roll.pick(Object.keys(SOURCES));
  const values = roll.some(SOURCES[field] ?? [], 2);
  const named = roll.chance(0.25) ? `not${field.slice(0, 1).toUpperCase()}${field.slice(1)}` : field;
  const from = roll.chance(chance) ? { from: [{ source: { [named]: values } }] } : {};
  return { ...from, to: [{ operation: { ports: [port] } }] };
}

function object(type: string, name: string, spec: object): KubeObject {
  const [apiVersion = "", kind = ""] = type.split(" ");
  return { apiVersion, kind, metadata: { name }, spec } as unknown as KubeObject;
}
