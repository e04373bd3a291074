import type { KubeObject } from "../../../src/resources/object.ts";
import type { Dice } from "./dice.ts";

/** Identities of callers: URIs in certificates are `spiffe://` and this; the last, empty, has no certificate. */
export const PEERS = ["cluster.local/ns/shop/sa/web", "cluster.local/ns/pay/sa/web", "old.domain/ns/shop/sa/api", ""];
export const SOURCES = ["127.0.0.1", "127.0.0.77", "127.1.0.9"];
export const REMOTES = ["203.0.113.9", "198.51.100.7", "2001:db8::9"];
export const HOSTS = ["shop.test", "SHOP.test", "shop.test:8080", "pay.test", "x.shop.test"];
export const POLICY_PATHS = [
  "/",
  "/a",
  "/a/b",
  "/a/b/c",
  "/api/v1/x",
  "/api/x",
  "/%61",
  "/a?x=/api/v1/x",
  "/file.png",
  "/a/b/",
  "/long/way/to/end",
  "/x/../a",
  "/./a/%2e%2e/a/b",
  "//a",
  "/a%2Fb",
  "/a\\b",
  "/a/.",
  "/a/b/..",
];
export const METHODS = ["GET", "PUT", "POST"];
export const OWN_HEADERS = ["x-a", "x-b"];
export const HEADER_VALUES = ["one", "two", "onetwo", "ONE", ""];

/** Words of conditions: some that requests have, some nearly, with wildcards at either end. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  principals: [
    "cluster.local/ns/shop/sa/web",
    "*/ns/shop/sa/web",
    "cluster.local/ns/shop/*",
    "*",
    "*/sa/web",
    "old.domain/ns/shop/sa/api",
    "other/ns/shop/sa/web",
  ],
  namespaces: ["shop", "pay", "sh*", "*op", "*"],
  serviceAccounts: ["shop/web", "web", "pay/web", "pay/api"],
  trustDomains: ["cluster.local", "old.domain", "*", "old.*", "*.local"],
  ipBlocks: ["127.0.0.1", "127.0.0.0/24", "127.1.0.0/16", "127.0.0.64/26", "::1", "10.0.0.0/8"],
  remoteIpBlocks: ["203.0.113.0/24", "198.51.100.7", "2001:db8::/32", "0.0.0.0/0"],
  requestPrincipals: ["*", "$ISSUER/alice", "$ISSUER/*", "*/bob", "$ISSUER/al*", "*shop", "http*", "nobody/alice"],
  hosts: ["shop.test", "*.test", "SHOP.*", "*", "pay.test", "shop.test:8080", "*.shop.test"],
  paths: [
    "/",
    "/a",
    "/a/*",
    "*/b",
    "*",
    "/api/{*}/x",
    "/a/{**}",
    "/{*}",
    "/long/{**}/end",
    "*.png",
    "/%61",
    "/{*}/{*}",
  ],
  methods: ["GET", "PUT", "P*", "*T", "*"],
  ports: ["$PORT", "1"],
};

const CONDITIONS: Readonly<Record<string, readonly string[]>> = {
  "request.headers[x-a]": ["one", "*two", "o*", "*", ""],
  "request.headers[X-B]": ["two", "*"],
  "source.ip": WORDS["ipBlocks"] ?? [],
  "remote.ip": WORDS["remoteIpBlocks"] ?? [],
  "source.namespace": WORDS["namespaces"] ?? [],
  "source.principal": WORDS["principals"] ?? [],
  "request.auth.principal": WORDS["requestPrincipals"] ?? [],
  "request.auth.audiences": ["shop", "bank", "s*", "*"],
  "request.auth.presenter": ["app", "*p"],
  "request.auth.claims[scope]": ["read", "write", "wr*"],
  "request.auth.claims[own][team]": ["red", "blue", "*d", "*"],
  "request.auth.claims[own][level]": ["high"],
  "destination.ip": ["127.0.0.1", "127.0.0.0/8", "10.0.0.1"],
  "destination.port": ["$PORT", "2"],
  "experimental.envoy.filters.test[own]": ["one", "[one]", "[o*]"],
  "connection.sni": ["s1*", "*.test", "*", "s7.test"],
};

const SOURCE_FIELDS = [
  "principals",
  "namespaces",
  "trustDomains",
  "ipBlocks",
  "remoteIpBlocks",
  "requestPrincipals",
  "serviceAccounts",
];
const OPERATION_FIELDS = ["hosts", "paths", "paths", "methods", "ports"];

/** One to three AuthorizationPolicies in a namespace of their own, over a small vocabulary, so that rules are often almost met. */
export function randomPolicies(
  roll: Dice,
  namespace: string,
  words: Readonly<Record<string, string>>,
  actions: readonly string[] = ["ALLOW", "ALLOW", "DENY"],
): readonly KubeObject[] {
  const many = 1 + roll.int(3);
  return Array.from({ length: many }, (_, index) => {
    const rules = Array.from({ length: roll.int(4) }, () => randomRule(roll));
    const action = roll.pick(actions);
    const spec = { action, rules, ...(action === "CUSTOM" ? { provider: { name: "grpc" } } : {}) };
    const text = Object.entries(words).reduce(
      (left, [name, word]) => left.replaceAll(`$${name}`, word),
      JSON.stringify(spec),
    );
    const annotations = roll.chance(0.1) ? { "istio.io/dry-run": "true" } : {};
    return {
      apiVersion: "security.istio.io/v1",
      kind: "AuthorizationPolicy",
      metadata: { name: `p${index}`, namespace, annotations },
      spec: JSON.parse(text) as unknown,
    } as KubeObject;
  });
}

function randomRule(roll: Dice): unknown {
  const parts = (fields: readonly string[], name: string): unknown =>
    Array.from({ length: 1 + roll.int(2) }, () => ({ [name]: randomPart(roll, fields) }));
  return {
    ...(roll.chance(0.5) ? { from: parts(SOURCE_FIELDS, "source") } : {}),
    ...(roll.chance(0.6) ? { to: parts(OPERATION_FIELDS, "operation") } : {}),
    ...(roll.chance(0.4) ? { when: roll.some(Object.keys(CONDITIONS), 2).map((key) => condition(roll, key)) } : {}),
  };
}

function randomPart(roll: Dice, fields: readonly string[]): unknown {
  const chosen = [...new Set(roll.some(fields, 2))];
  return Object.fromEntries(
    chosen.map((field) => {
      const values = roll.some(WORDS[field] ?? [], 2);
      return roll.chance(0.3) ? [`not${field.slice(0, 1).toUpperCase()}${field.slice(1)}`, values] : [field, values];
    }),
  );
}

function condition(roll: Dice, key: string): unknown {
  const values = roll.some(CONDITIONS[key] ?? [], 2);
  return roll.chance(0.3) ? { key, notValues: values } : { key, values };
}
