import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run as check } from "../../../src/commands/authz/check.ts";
import { securityOf } from "../../../src/compile/security/security.ts";
import type { MeshConfig } from "../../../src/model/mesh-config.ts";
import { createModel } from "../../../src/model/model.ts";
import { createRoot } from "../../../src/pki/ca.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { worldOf } from "../../../src/resources/world-store.ts";
import { fakeCluster } from "../../support/fake-cluster.ts";
import { fakeIo } from "../../support/fake-io.ts";
import { testEnvoy } from "../../support/envoy/binary.ts";
import type { Echoed } from "../../support/envoy/client.ts";
import { type EchoApp, startEchoApp } from "../../support/envoy/echo-app.ts";
import { freePorts } from "../../support/envoy/free-ports.ts";
import { startProxy, type TestProxy } from "../../support/envoy/mesh-pair.ts";
import { waitFor } from "../../support/wait.ts";
import { peer, type XdsCase, xdsCase } from "../../support/xds-case.ts";

// Tricks with paths against policies about paths, under each pathNormalization of MeshConfig, in real Envoys: what the application
// gets is a path that the policy has judged, letter by letter.

type Normalization = MeshConfig["pathNormalization"];
const NORMALIZATIONS: readonly Normalization[] = ["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"];
const CLUSTER = "outbound|80||echo.shop.svc.cluster.local";

/** One gateway for each normalization; on its first port /admin is denied, on its second only /open is allowed. */
interface Place {
  readonly proxy: TestProxy;
  readonly denying: number;
  readonly allowing: number;
}

let app: EchoApp;
const places = new Map<Normalization, Place>();

beforeAll(async () => {
  const binary = await testEnvoy();
  const ports = await freePorts(2 * NORMALIZATIONS.length);
  app = await startEchoApp({ host: "127.0.0.1", port: 0 });
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const ca = await createRoot("cluster.local", validity);
  await Promise.all(
    NORMALIZATIONS.map(async (normalization, index) => {
      const [denying = 0, allowing = 0] = ports.slice(2 * index);
      const xds = gateway(normalization, { denying, allowing });
      const proxy = await startProxy(binary, { ca, peer: peer({ workload: "gateway", ns: "istio-system" }), xds });
      places.set(normalization, { proxy, denying, allowing });
      await waitFor(() => say(denying, "/ready"), { what: "a gateway" });
      await waitFor(() => say(allowing, "/open"), { what: "a gateway" });
    }),
  );
});

afterAll(async () => {
  await Promise.all([...places.values()].map(({ proxy }) => proxy.stop()));
  app?.close();
});

/** Ways to write /admin for a server that is careless with paths. */
const DENIED = [
  "/admin",
  "/admin/x",
  "/admin?x=1",
  "/admin/",
  "http://echo.shop/admin",
  "/%61dmin",
  "/./admin",
  "/x/../admin",
  "/x/%2e%2e/admin",
  "/x\\..\\admin",
  "//admin",
  "/admin%2Fx",
  "/x%2F..%2Fadmin",
  "/admin;x=1",
  "/admin%3Fx",
  "/ADMIN",
  "/admin%00",
  "/admin#x",
  "\\admin",
];
/** What no normalization changes: other paths, unless the application takes them for the same. */
const OTHERS = ["/admin;x=1", "/admin%3Fx", "/ADMIN"];
const SLASHES = ["/admin%2Fx", "/x%2F..%2Fadmin"];

test.each<[Normalization, readonly string[]]>([
  [
    "NONE",
    [
      "/%61dmin",
      "/./admin",
      "/x/../admin",
      "/x/%2e%2e/admin",
      "/x\\..\\admin",
      "//admin",
      ...SLASHES,
      ...OTHERS,
      "/admin%00",
    ],
  ],
  ["BASE", ["//admin", ...SLASHES, ...OTHERS]],
  ["MERGE_SLASHES", [...SLASHES, ...OTHERS]],
  ["DECODE_AND_MERGE_SLASHES", OTHERS],
])("%s: what passes a DENY of /admin arrives as it was judged", async (normalization, passing) => {
  const { denying } = placeOf(normalization);
  const got = await Promise.all(DENIED.map((path) => say(denying, path)));
  expect(DENIED.filter((_, index) => got[index]?.startsWith("/"))).toEqual(
    DENIED.filter((path) => passing.includes(path)),
  );
  // letter by letter as the policy saw it
  expect(got.filter((path) => path.startsWith("/")).toSorted()).toEqual([...passing].toSorted());
  expect(new Set(got.filter((path) => !path.startsWith("/")))).toEqual(new Set(["403", "400"]));
});

/** Ways out of /open. */
const ESCAPES = [
  "/secret",
  "/open/../secret",
  "/open/%2e%2e/secret",
  "/open/./../secret",
  "/open\\..\\secret",
  "/open/..\\secret",
  "/open//../../secret",
  "/opening",
  "/OPEN",
  "/open;/secret",
  "/open%00",
  "/open/..%2Fsecret",
  "/open%2F..%2Fsecret",
];

test.each<[Normalization, readonly string[]]>([
  ["BASE", ["/open/..%2Fsecret"]],
  ["MERGE_SLASHES", ["/open/..%2Fsecret"]],
  ["DECODE_AND_MERGE_SLASHES", []],
])("%s: nothing but /open passes an ALLOW of it", async (normalization, passing) => {
  const { allowing } = placeOf(normalization);
  for (const path of ["/open", "/open/x", "/x/../open", "/open/x?y=/../../secret"])
    expect(await say(allowing, path)).toMatch(/^\/open/);
  const got = await Promise.all(ESCAPES.map((path) => say(allowing, path)));
  expect(got.filter((path) => path.startsWith("/"))).toEqual(passing);
});

/** What `authz check` says of a request to a workload under the policy and the normalization: 403 and 400 refuse it. */
async function checked(normalization: Normalization, denies: boolean, path: string): Promise<string> {
  const data = { mesh: `pathNormalization: { normalization: ${normalization} }` };
  const held = denies ? policy("deny", "DENY", ["/admin", "/admin/*"]) : policy("allow", "ALLOW", ["/open", "/open/*"]);
  const cluster = fakeCluster({
    objects: [
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "istio", namespace: "istio-system" }, data },
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "echo", namespace: "shop", labels: { app: "echo" } },
        spec: { serviceAccountName: "echo", containers: [{ name: "app" }, { name: "istio-proxy" }] },
        status: { phase: "Running", podIP: "10.1.0.2" },
      },
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "echo", namespace: "shop" },
        spec: {
          clusterIP: "10.0.0.9",
          selector: { app: "echo" },
          ports: [{ name: "http", port: 80, targetPort: 8080 }],
        },
      },
      held,
    ],
  });
  const { decision } = await check({ args: ["echo.shop"], options: { port: "8080", path } }, fakeIo({ cluster }));
  return decision?.decision === "deny" ? String(decision.status) : (decision?.decision ?? "nothing");
}

test.each(NORMALIZATIONS)("%s: authz check decides each of these paths as Envoy does", async (normalization) => {
  const { denying, allowing } = placeOf(normalization);
  const differences: string[] = [];
  // what does not start so is no path for the command
  for (const [port, paths] of [
    [denying, DENIED],
    [allowing, ["/open", "/open/x", "/x/../open", "/open?y=/../../secret", ...ESCAPES]],
  ] as const)
    for (const path of paths.filter((each) => each.startsWith("/"))) {
      const answer = await say(port, path);
      const got = answer.startsWith("/") ? "allow" : answer;
      const said = await checked(normalization, port === denying, path);
      if (said !== got) differences.push(`${path}: Envoy ${got}, authz check ${said}`);
    }
  expect(differences).toEqual([]);
});

test("Envoy refused nothing of its configuration", () => {
  expect([...places.values()].flatMap(({ proxy }) => proxy.refusals)).toEqual([]);
});

function placeOf(normalization: Normalization): Place {
  const place = places.get(normalization);
  if (place === undefined) throw new Error(`no gateway for ${normalization}`);
  return place;
}

/** What the application got, or why it got nothing. */
function say(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = "";
    const lines = [`GET ${path} HTTP/1.1`, "Host: echo.shop", "Connection: close", "", ""];
    const socket = connect(port, "127.0.0.1", () => socket.write(lines.join("\r\n")));
    socket.setTimeout(5_000, () => socket.destroy(new Error("no answer")));
    socket.on("data", (chunk: Buffer) => {
      got += chunk.toString();
      if (/\r\n\r\n/.test(got) && /^content-length: 0|denied|\}/im.test(got)) socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => {
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(got)?.[1]);
      if (Number.isNaN(status)) return reject(new Error("closed without an answer"));
      const body = /\{.*\}/.exec(got)?.[0];
      resolve(body === undefined ? String(status) : (JSON.parse(body) as Echoed).path);
    });
  });
}

function policy(name: string, action: string, paths: readonly string[]): KubeObject {
  const metadata = { name, namespace: "shop" };
  const spec = { action, rules: [{ to: [{ operation: { paths } }] }] };
  return { apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy", metadata, spec };
}

function gateway(
  normalization: Normalization,
  ports: { readonly denying: number; readonly allowing: number },
): XdsCase {
  const to = { clusters: [{ cluster: CLUSTER, weight: 1 }] };
  const listener = (port: number, policies: readonly KubeObject[]) => {
    const model = createModel(worldOf(policies as Parameters<typeof worldOf>[0]));
    const security = securityOf(model, { namespace: "shop", labels: {} });
    const chains = [{ serverNames: [], routeTable: "http.80", clusters: [] }];
    return { name: `127.0.0.1_${port}`, address: "127.0.0.1", port, kind: "http", chains, security };
  };
  return xdsCase({
    options: { pathNormalization: normalization },
    proxy: { type: "router" },
    clusters: [{ name: CLUSTER, protocol: "http" }],
    endpoints: [{ cluster: CLUSTER, endpoints: [{ address: "127.0.0.1", port: app.port }] }],
    gateways: [
      listener(ports.denying, [policy("deny", "DENY", ["/admin", "/admin/*"])]),
      listener(ports.allowing, [policy("allow", "ALLOW", ["/open", "/open/*"])]),
    ],
    routes: [{ name: "http.80", hosts: [{ name: "any", domains: ["*"], routes: [{ action: to }] }] }],
  });
}
