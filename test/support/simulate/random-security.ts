import type { KubeObject } from "../../../src/resources/object.ts";
import type { SimulatedToken } from "../../../src/simulate/jwt.ts";
import type { Dice } from "./dice.ts";

// Random routes and policies for one guarded workload behind many hosts, over a small vocabulary: whatever a route makes of a request
// is what the policies behind it judge.

export const NAMESPACE = "random";
/** Services, each with rules of its own; each is a host of the gateway too. */
export const HOSTS = Array.from({ length: 30 }, (_, index) => `s${index}`);
export const PATHS = ["/", "/a", "/a/b", "/b", "/b/c", "/file.png", "/a/b/c", "/old", "/moved/x"];
export const METHODS = ["GET", "GET", "PUT", "POST"];
export const VALUES = ["one", "two", "onetwo", "ONE"];
export const REMOTES = ["203.0.113.9", "198.51.100.7"];
export const OWN_HEADERS = ["x-a", "x-b"];

/** A service for which there are no policies. */
export const UNGUARDED = "unguarded";
/** Where the gateway takes two of three hosts by TLS. */
export const SECURE_PORT = 443;

/** Host of a service at the gateway. */
export function gatewayHost(service: string): string {
  return `${service}.${NAMESPACE}.example.com`;
}

/** Everything of the namespace, and the policies of the guard and of the gateway. */
export function randomObjects(roll: Dice): readonly KubeObject[] {
  const services = HOSTS.map((name) => object("v1 Service", name, { selector: { app: "guard" } }));
  const plain = object("v1 Service", UNGUARDED, { selector: { app: "echo", version: "v1" } });
  const oneEach = HOSTS.filter(() => roll.chance(0.6)).map((name) => virtualService(roll, name));
  return [
    ...services,
    plain,
    ...oneEach,
    object("networking.istio.io/v1 Gateway", "front", {
      selector: { istio: "gateway" },
      servers: [
        { port: { number: 80, name: "http", protocol: "HTTP" }, hosts: HOSTS.map(gatewayHost) },
        {
          port: { number: SECURE_PORT, name: "https", protocol: "HTTPS" },
          tls: { mode: "SIMPLE", credentialName: `${NAMESPACE}-web` },
          hosts: HOSTS.filter((_, index) => index % 3 > 0).map(gatewayHost),
        },
      ],
    }),
    ...HOSTS.map((name) => frontRoute(roll, name)),
    ...policies(roll, { namespace: "guarded", matchLabels: { app: "guard" }, open: 0.5 }, (name) => [
      `${name}.${NAMESPACE}.*`,
    ]),
    ...policies(roll, { namespace: "traffic", matchLabels: { istio: "gateway" }, open: 0.85 }, (name) => [
      gatewayHost(name),
    ]),
    authentication("guarded", { app: "guard" }, false),
    authentication("traffic", { istio: "gateway" }, true),
  ];
}

/** Claims of tokens; `signed` false: by a key that nobody knows. */
export function randomToken(roll: Dice, issuer: string, now: number): SimulatedToken | undefined {
  if (roll.chance(0.4)) return undefined;
  const iss = roll.chance(0.85) ? issuer : roll.pick(["forwarded", "nobody"]);
  const claims = {
    iss,
    sub: roll.pick(["alice", "bob"]),
    aud: roll.pick<string | readonly string[]>(["shop", "shop", "bank", ["bank", "shop"], "https://shop/"]),
    exp: now + (roll.chance(0.9) ? 3_600 : -3_600),
    ...(roll.chance(0.1) ? { nbf: now + 3_600 } : {}),
    ...(roll.chance(0.5) ? { scope: roll.pick(["read", "read write"]) } : {}),
    ...(roll.chance(0.5) ? { group: roll.pick(["ops", "dev"]) } : {}),
  };
  return { claims, signed: roll.chance(0.9) };
}

function virtualService(roll: Dice, name: string): KubeObject {
  const many = 1 + roll.int(3);
  const http = Array.from({ length: many }, () => ({
    match: [randomMatch(roll)],
    ...randomAction(roll, name),
  }));
  const rest = { route: [{ destination: { host: name, port: { number: 80 } } }] };
  return object("networking.istio.io/v1 VirtualService", name, { hosts: [name], http: [...http, rest] });
}

function frontRoute(roll: Dice, name: string): KubeObject {
  const claim = {
    match: [{ headers: { "@request.auth.claims.group": { exact: "ops" } } }],
    ...randomAction(roll, name),
  };
  const rest = { route: [{ destination: { host: name, port: { number: 80 } } }] };
  return object("networking.istio.io/v1 VirtualService", `front-${name}`, {
    hosts: [gatewayHost(name)],
    gateways: ["front"],
    http: [...(roll.chance(0.6) ? [claim] : []), rest],
  });
}

function randomMatch(roll: Dice): unknown {
  return {
    ...(roll.chance(0.7) ? { uri: roll.pick([{ prefix: "/a" }, { exact: "/old" }, { prefix: "/moved/" }]) } : {}),
    ...(roll.chance(0.4) ? { headers: { "x-a": roll.pick([{ exact: "one" }, { prefix: "o" }]) } } : {}),
    ...(roll.chance(0.3) ? { method: { exact: "PUT" } } : {}),
  };
}

function randomAction(roll: Dice, name: string): object {
  const kind = roll.int(10);
  if (kind < 2) return { redirect: { uri: "/elsewhere", redirectCode: 307 } };
  if (kind === 2) return { directResponse: { status: 418, body: { string: "said" } } };
  const destination = { host: name, port: { number: 80 } };
  const unguarded = { host: UNGUARDED, port: { number: 80 } };
  const shares = roll.chance(0.25)
    ? [
        { destination, weight: 50 },
        { destination: unguarded, weight: 50 },
      ]
    : [{ destination }];
  return {
    ...(roll.chance(0.4)
      ? { rewrite: roll.pick([{ uri: "/b" }, { uri: "/file.png" }, { authority: "other.host" }]) }
      : {}),
    ...(roll.chance(0.4) ? { headers: { request: roll.pick([{ set: { "x-a": "two" } }, { remove: ["x-b"] }]) } } : {}),
    route: shares,
  };
}

const WORDS: Readonly<Record<string, readonly string[]>> = {
  principals: ["cluster.local/ns/traffic/sa/client", "*/sa/gateway", "cluster.local/ns/traffic/*", "*"],
  namespaces: ["traffic", "other"],
  serviceAccounts: ["traffic/client", "traffic/gateway"],
  remoteIpBlocks: ["203.0.113.0/24", "10.0.0.0/8"],
  requestPrincipals: ["*", "$MAIN/alice", "$MAIN/*", "forwarded/bob"],
  paths: ["/", "/a", "/a/*", "*/b", "/b", "*.png", "/a/{*}", "/{**}/c"],
  methods: ["GET", "PUT", "P*"],
};
const CONDITIONS: Readonly<Record<string, readonly string[]>> = {
  "request.headers[x-a]": ["one", "*two", "*"],
  "request.headers[x-b]": ["two", "*"],
  "request.auth.claims[scope]": ["write", "read"],
  "request.auth.claims[group]": ["ops"],
  "request.auth.audiences": ["shop"],
  "source.principal": ["*/sa/client"],
};
const SOURCES = ["principals", "namespaces", "serviceAccounts", "remoteIpBlocks", "requestPrincipals"];
const OPERATIONS = ["paths", "methods"];

/** Where policies stand, and how many of the hosts are open but for DENY: 0 to 1. */
interface Guarded {
  readonly namespace: string;
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly open: number;
}

/** For each host one to three rules, in a policy of its own for each action. */
function policies(
  roll: Dice,
  { namespace, matchLabels, open: share }: Guarded,
  hostsOf: (name: string) => readonly string[],
): readonly KubeObject[] {
  return HOSTS.flatMap((name) => {
    const rules = (many: number): readonly unknown[] =>
      Array.from({ length: many }, () => randomRule(roll, hostsOf(name)));
    const open = { to: [{ operation: { hosts: hostsOf(name) } }] };
    const allow = roll.chance(share) ? [open] : rules(1 + roll.int(3));
    const made = (action: string, list: readonly unknown[], annotations = {}): KubeObject => ({
      apiVersion: "security.istio.io/v1",
      kind: "AuthorizationPolicy",
      metadata: { name: `${NAMESPACE}-${name}-${action.toLowerCase()}`, namespace, annotations },
      spec: { selector: { matchLabels }, action, rules: list },
    });
    return [
      made("ALLOW", allow),
      ...(roll.chance(0.5) ? [made("DENY", rules(1 + roll.int(2)))] : []),
      ...(roll.chance(0.2) ? [made("AUDIT", rules(1))] : []),
    ];
  });
}

function randomRule(roll: Dice, hosts: readonly string[]): unknown {
  return {
    ...(roll.chance(0.5) ? { from: [{ source: randomPart(roll, SOURCES) }] } : {}),
    to: [{ operation: { ...randomPart(roll, OPERATIONS), hosts } }],
    ...(roll.chance(0.4) ? { when: roll.some(Object.keys(CONDITIONS), 2).map((key) => condition(roll, key)) } : {}),
  };
}

function randomPart(roll: Dice, fields: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    roll.some(fields, 2).map((field) => {
      const values = roll.some(WORDS[field] ?? [], 2);
      return roll.chance(0.25) ? [`not${field.slice(0, 1).toUpperCase()}${field.slice(1)}`, values] : [field, values];
    }),
  );
}

function condition(roll: Dice, key: string): unknown {
  const values = roll.some(CONDITIONS[key] ?? [], 2);
  return roll.chance(0.25) ? { key, notValues: values } : { key, values };
}

/** `forwarded` is an issuer with the same keys whose tokens stay on the request. */
function authentication(
  namespace: string,
  matchLabels: Readonly<Record<string, string>>,
  forwards: boolean,
): KubeObject {
  const jwtRules = [
    { issuer: "$MAIN", jwks: "$KEYS", audiences: ["shop"], forwardOriginalToken: forwards },
    { issuer: "forwarded", jwks: "$KEYS", forwardOriginalToken: true },
  ];
  return {
    apiVersion: "security.istio.io/v1",
    kind: "RequestAuthentication",
    metadata: { name: NAMESPACE, namespace },
    spec: { selector: { matchLabels }, jwtRules },
  } as KubeObject;
}

function object(type: string, name: string, spec: object): KubeObject {
  const [apiVersion = "", kind = ""] = type.split(" ");
  return { apiVersion, kind, metadata: { name, namespace: NAMESPACE }, spec };
}
