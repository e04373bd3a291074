import { describe, expect, test } from "vitest";
import { judgeOf } from "../../src/commands/authz/decide.ts";
import { proxiesOf } from "../../src/commands/offline/proxies.ts";
import { createMesh } from "../../src/compile/mesh.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createFixedWorld } from "../../src/resources/world-fixed.ts";
import { authorizerObjects } from "../support/traffic/security-objects.ts";

// Answers written by hand from what Istio's reference says of AuthorizationPolicy (order of evaluation, matching of values) and of
// PeerAuthentication (which level decides, what each mode takes): the generator and the simulator together come to the same.

const pod = (name: string, ip: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "foo", labels: { app: name, "security.istio.io/tlsMode": "istio" } },
  spec: { serviceAccountName: name, containers: [{ name: "app" }] },
  status: { phase: "Running", podIP: ip },
});
const service: KubeObject = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "httpbin", namespace: "foo" },
  spec: { clusterIP: "10.0.0.1", selector: { app: "httpbin" }, ports: [{ name: "http", port: 8000, targetPort: 80 }] },
};
const base = [pod("httpbin", "10.1.0.1"), pod("sleep", "10.1.0.2"), service];

interface Call {
  readonly principal?: string;
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly ip?: string;
}

const SLEEP = "cluster.local/ns/foo/sa/sleep";

function decisionOf(objects: readonly KubeObject[], call: Call): string {
  const mesh = createMesh(createFixedWorld([...base, ...objects]));
  const server = proxiesOf(mesh.model).find(({ name }) => name === "httpbin")!;
  const { method = "GET", path = "/", host = "httpbin.foo", headers = [], claims, ip = "10.1.0.2" } = call;
  const { decision } = judgeOf(
    { mesh, positionOf: () => undefined, notes: new Map() },
    server,
  )({
    port: 80,
    principal: call.principal,
    sourceIp: ip,
    remoteIp: ip,
    request: { method, scheme: "http", authority: host, path, headers },
    claims,
    now: 0,
  });
  return decision;
}

function object(kind: string, name: string, spec: object, metadata: object = {}): KubeObject {
  return { apiVersion: "security.istio.io/v1", kind, metadata: { name, namespace: "foo", ...metadata }, spec };
}

let serial = 0;
const policy = (spec: object): KubeObject => object("AuthorizationPolicy", `p${++serial}`, spec);
const PATH = (path: string): object => ({ to: [{ operation: { paths: [path] } }] });

describe("the order of evaluation", () => {
  const custom = policy({ action: "CUSTOM", provider: { name: "grpc" }, rules: [PATH("/asked")] });
  const lost = policy({ action: "CUSTOM", provider: { name: "nowhere" }, rules: [PATH("/asked")] });
  const deny = policy({ action: "DENY", rules: [PATH("/denied"), PATH("/asked-denied")] });
  const allow = policy({ action: "ALLOW", rules: [PATH("/allowed"), PATH("/denied"), PATH("/asked")] });
  const audit = policy({ action: "AUDIT", rules: [{}] });
  const authorizer = authorizerObjects({ grpcPort: 1, httpPort: 2, close: () => undefined });
  test.each([
    ["no policy: allowed", [], "/", "allow"],
    ["CUSTOM matches: the authorizer decides", [custom, ...authorizer], "/asked", "ask"],
    ["CUSTOM does not match, nothing else is there: allowed", [custom, ...authorizer], "/", "allow"],
    ["a CUSTOM provider that is not there: refused", [lost], "/asked", "deny"],
    ["DENY matches: refused", [deny], "/denied", "deny"],
    ["DENY does not match, there is no ALLOW: allowed", [deny], "/", "allow"],
    ["DENY wins over ALLOW", [deny, allow], "/denied", "deny"],
    ["ALLOW matches: allowed", [deny, allow], "/allowed", "allow"],
    ["there is an ALLOW and it does not match: refused", [deny, allow], "/", "deny"],
    ["CUSTOM lets it through, then ALLOW has to match", [custom, allow, ...authorizer], "/asked", "ask"],
    ["AUDIT decides nothing: allowed", [audit], "/", "allow"],
    ["AUDIT allows nothing: refused", [audit, allow], "/", "deny"],
  ] as const)("%s", (_, objects, path, expected) => expect(decisionOf(objects, { path })).toBe(expected));
});

describe("policies of the reference's examples", () => {
  test.each([
    ["an empty spec allows nothing", {}, {}, "deny"],
    ["one empty rule allows everything", { rules: [{}] }, {}, "allow"],
    ["DENY without rules denies nothing", { action: "DENY" }, {}, "allow"],
    ["DENY with one empty rule denies everything", { action: "DENY", rules: [{}] }, {}, "deny"],
    [
      "from, to and when have to hold together",
      {
        rules: [
          {
            from: [{ source: { principals: [SLEEP] } }],
            to: [{ operation: { methods: ["GET"], paths: ["/info*"] } }],
            when: [{ key: "request.auth.claims[iss]", values: ["https://accounts.example"] }],
          },
        ],
      },
      { principal: SLEEP, path: "/info/1" },
      "deny",
    ],
    [
      "sources are alternatives",
      { rules: [{ from: [{ source: { namespaces: ["bar"] } }, { source: { principals: [SLEEP] } }] }] },
      { principal: SLEEP },
      "allow",
    ],
    [
      "fields of one source have to hold together",
      { rules: [{ from: [{ source: { namespaces: ["bar"], principals: [SLEEP] } }] }] },
      { principal: SLEEP },
      "deny",
    ],
    ["rules are alternatives", { rules: [PATH("/x"), PATH("/")] }, {}, "allow"],
    [
      "a negation without its positive",
      { rules: [{ from: [{ source: { notNamespaces: ["foo"] } }] }] },
      { principal: SLEEP },
      "deny",
    ],
    [
      "who shows no identity is not of the namespace",
      { rules: [{ from: [{ source: { notNamespaces: ["foo"] } }] }] },
      {},
      "allow",
    ],
    [
      "DENY of everybody who has no identity",
      { action: "DENY", rules: [{ from: [{ source: { notPrincipals: ["*"] } }] }] },
      {},
      "deny",
    ],
    [
      "and not of who has one",
      { action: "DENY", rules: [{ from: [{ source: { notPrincipals: ["*"] } }] }] },
      { principal: SLEEP },
      "allow",
    ],
  ] as const)("%s", (_, spec, call, expected) => expect(decisionOf([policy(spec)], call)).toBe(expected));
});

describe("matching of values", () => {
  const of = (operation: object): object => ({ rules: [{ to: [{ operation }] }] });
  const when = (key: string, ...values: readonly string[]): object => ({ rules: [{ when: [{ key, values }] }] });
  const from = (source: object): object => ({ rules: [{ from: [{ source }] }] });
  const issued = {
    iss: "https://a.example",
    sub: "ann",
    aud: "shop",
    groups: ["staff", "night"],
    deep: { role: "ops" },
  };
  test.each([
    ["exact", of({ paths: ["/a"] }), { path: "/a" }, true],
    ["exact is not a prefix", of({ paths: ["/a"] }), { path: "/ab" }, false],
    ["prefix", of({ paths: ["/a*"] }), { path: "/ab" }, true],
    ["prefix itself", of({ paths: ["/a*"] }), { path: "/a" }, true],
    ["suffix", of({ paths: ["*.html"] }), { path: "/x/index.html" }, true],
    ["not the suffix", of({ paths: ["*.html"] }), { path: "/index.htm" }, false],
    ["presence", of({ paths: ["*"] }), { path: "/anything" }, true],
    ["the query is no part of the path", of({ paths: ["/a"] }), { path: "/a?b=c" }, true],
    ["a path after its dots", of({ paths: ["/admin"] }), { path: "/x/../admin" }, true],
    ["{*} is one segment", of({ paths: ["/foo/{*}"] }), { path: "/foo/bar" }, true],
    ["{*} is not two", of({ paths: ["/foo/{*}"] }), { path: "/foo/bar/baz" }, false],
    ["{**} is what is left", of({ paths: ["/foo/{*}/bar/{**}"] }), { path: "/foo/buzz/bar/baz/more" }, true],
    ["hosts in any case", of({ hosts: ["httpbin.foo"] }), { host: "HTTPBIN.foo" }, true],
    ["a host's suffix", of({ hosts: ["*.foo"] }), { host: "a.foo" }, true],
    ["methods as they are written", of({ methods: ["get"] }), { method: "GET" }, false],
    ["the workload's port", of({ ports: ["80"] }), {}, true],
    ["not the Service's port", of({ ports: ["8000"] }), {}, false],
    ["a principal", from({ principals: [SLEEP] }), { principal: SLEEP }, true],
    ["a principal's suffix", from({ principals: ["*/sa/sleep"] }), { principal: SLEEP }, true],
    ["a principal's prefix", from({ principals: ["cluster.local/ns/foo/*"] }), { principal: SLEEP }, true],
    ["any principal", from({ principals: ["*"] }), { principal: SLEEP }, true],
    ["any principal is not none", from({ principals: ["*"] }), {}, false],
    ["a namespace", from({ namespaces: ["foo"] }), { principal: SLEEP }, true],
    ["a namespace is no prefix", from({ namespaces: ["fo"] }), { principal: SLEEP }, false],
    ["an account", from({ serviceAccounts: ["foo/sleep"] }), { principal: SLEEP }, true],
    ["an account of the policy's own namespace", from({ serviceAccounts: ["sleep"] }), { principal: SLEEP }, true],
    ["an address", from({ ipBlocks: ["10.1.0.2"] }), {}, true],
    ["a range", from({ ipBlocks: ["10.1.0.0/16"] }), {}, true],
    ["another range", from({ ipBlocks: ["10.2.0.0/16"] }), {}, false],
    ["a header", when("request.headers[x-user]", "ann"), { headers: [["x-user", "ann"]] }, true],
    ["a header's prefix", when("request.headers[x-user]", "a*"), { headers: [["x-user", "ann"]] }, true],
    ["a header that is missing", when("request.headers[x-user]", "*"), {}, false],
    ["a token's issuer and subject", from({ requestPrincipals: ["https://a.example/ann"] }), { claims: issued }, true],
    ["another subject", from({ requestPrincipals: ["https://a.example/bob"] }), { claims: issued }, false],
    ["any token", from({ requestPrincipals: ["*"] }), { claims: issued }, true],
    ["no token", from({ requestPrincipals: ["*"] }), {}, false],
    ["an audience", when("request.auth.audiences", "shop"), { claims: issued }, true],
    ["a claim that is a list", when("request.auth.claims[groups]", "night"), { claims: issued }, true],
    ["a claim in a claim", when("request.auth.claims[deep][role]", "ops"), { claims: issued }, true],
    ["an attribute that nobody knows", when("request.moon", "full"), {}, false],
  ] as const)("%s", (_, spec, call, expected) => {
    const tokens = object("RequestAuthentication", "tokens", { jwtRules: [{ issuer: "https://a.example" }] });
    expect(decisionOf([policy(spec), tokens], call)).toBe(expected ? "allow" : "deny");
  });
});

describe("mutual TLS by level", () => {
  const peer = (
    mode: string | undefined,
    where: "mesh" | "namespace" | "workload",
    more: object = {},
    age = 0,
  ): KubeObject =>
    object(
      "PeerAuthentication",
      `${where}-${++serial}`,
      {
        ...(mode === undefined ? {} : { mtls: { mode } }),
        ...(where === "workload" ? { selector: { matchLabels: { app: "httpbin" } } } : {}),
        ...more,
      },
      {
        namespace: where === "mesh" ? "istio-system" : "foo",
        creationTimestamp: new Date(Date.UTC(2026, 0, 1) - age * 1_000).toISOString(),
      },
    );
  const port = (mode: string, number = 80): object => ({ portLevelMtls: { [number]: { mode } } });
  // what a caller without identity and one with an identity get
  const [strict, both] = [
    ["reset", "allow"],
    ["allow", "allow"],
  ] as const;
  test.each([
    ["nothing said: both", [], both],
    ["mesh STRICT", [peer("STRICT", "mesh")], strict],
    ["namespace over mesh", [peer("STRICT", "mesh"), peer("PERMISSIVE", "namespace")], both],
    ["namespace STRICT over mesh PERMISSIVE", [peer("PERMISSIVE", "mesh"), peer("STRICT", "namespace")], strict],
    ["workload over namespace", [peer("STRICT", "namespace"), peer("PERMISSIVE", "workload")], both],
    ["workload DISABLE", [peer("STRICT", "mesh"), peer("DISABLE", "workload")], both],
    ["UNSET inherits", [peer("STRICT", "mesh"), peer("UNSET", "namespace"), peer("UNSET", "workload")], strict],
    ["no mode inherits", [peer("STRICT", "namespace"), peer(undefined, "workload")], strict],
    ["UNSET everywhere: both", [peer("UNSET", "mesh"), peer("UNSET", "namespace")], both],
    ["port over workload", [peer("STRICT", "workload", port("PERMISSIVE"))], both],
    ["port STRICT", [peer("PERMISSIVE", "workload", port("STRICT"))], strict],
    ["the Service's port is not meant", [peer("PERMISSIVE", "workload", port("STRICT", 8000))], both],
    ["port UNSET inherits from the workload", [peer("STRICT", "workload", port("UNSET"))], strict],
    [
      "a port without a workload's mode inherits the rest",
      [peer("STRICT", "mesh"), peer(undefined, "workload", port("DISABLE", 81))],
      strict,
    ],
    ["the oldest of a level", [peer("PERMISSIVE", "namespace", {}, 1), peer("STRICT", "namespace", {}, 9)], strict],
    [
      "a selector in the root namespace selects nobody",
      [
        object(
          "PeerAuthentication",
          "root",
          { selector: { matchLabels: { app: "httpbin" } }, mtls: { mode: "STRICT" } },
          { namespace: "istio-system" },
        ),
      ],
      both,
    ],
  ] as const)("%s", (_, objects, expected) => {
    expect([decisionOf(objects, {}), decisionOf(objects, { principal: SLEEP })]).toEqual(expected);
  });
  test("with DISABLE nobody has an identity", () => {
    const identified = policy({ rules: [{ from: [{ source: { principals: [SLEEP] } }] }] });
    expect(decisionOf([identified], { principal: SLEEP })).toBe("allow");
    expect(decisionOf([identified, peer("DISABLE", "workload")], { principal: SLEEP })).toBe("deny");
  });
});
