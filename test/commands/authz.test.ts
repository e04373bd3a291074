import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { parse } from "../../src/cli-parse.ts";
import { heldInDump } from "../../src/commands/authz/held.ts";
import { countersOf } from "../../src/commands/mtls/observed.ts";
import { mistrusts, trustGroups, trustIn } from "../../src/commands/mtls/trust.ts";
import { proxiesOf } from "../../src/commands/offline/proxies.ts";
import { viewOf } from "../../src/commands/trace/view.ts";
import { createMesh } from "../../src/compile/mesh.ts";
import { peerOf } from "../../src/model/workload.ts";
import { type Ca, createRoot, signWorkload } from "../../src/pki/ca.ts";
import { createCsr } from "../../src/pki/create-csr.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createFixedWorld } from "../../src/resources/world-fixed.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { type FakeIo, fakeIo } from "../support/fake-io.ts";
import { answering } from "../support/pod-answers.ts";

// Who may call whom, asked of a cluster instead of files: what the cluster holds, files on top of it, and what its proxies say.

const pod = (name: string, ip: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "shop", labels: { app: name, "security.istio.io/tlsMode": "istio" } },
  spec: { serviceAccountName: name, containers: [{ name: "app" }, { name: "istio-proxy" }] },
  status: { phase: "Running", podIP: ip, conditions: [{ type: "Ready", status: "True" }] },
});
const policy = (name: string, spec: object, annotations: Readonly<Record<string, string>> = {}): KubeObject => ({
  apiVersion: "security.istio.io/v1",
  kind: "AuthorizationPolicy",
  metadata: { name, namespace: "shop", annotations },
  spec,
});
const service: KubeObject = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "api", namespace: "shop" },
  spec: { clusterIP: "10.0.0.9", selector: { app: "api" }, ports: [{ name: "http", port: 80, targetPort: 8080 }] },
};
const objects: readonly KubeObject[] = [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
  pod("web", "10.1.0.1"),
  pod("api", "10.1.0.2"),
  service,
  policy("readers", { rules: [{ to: [{ operation: { methods: ["GET"] } }] }] }),
];

const DENY = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: not-web, namespace: shop }
spec: { action: DENY, rules: [{ from: [{ source: { serviceAccounts: [web] } }] }] }
`;

async function ran(line: string, options: Parameters<typeof fakeIo>[0]): Promise<FakeIo & { readonly exit: number }> {
  const io = fakeIo(options);
  const parsed = parse(line.split(" "));
  if (parsed.type !== "run") throw new Error(`${line} is not run`);
  const { exitCode } = await (await parsed.spec.load())(parsed.input, io);
  return { ...io, exit: exitCode };
}

test("a call is decided by what the cluster holds, and by files on top of it", async () => {
  const cluster = fakeCluster({ objects });
  const asked = "authz check api.shop --from web.shop --port 8080";
  const before = await ran(asked, { cluster });
  expect(before.stdout()).toBe(
    "api.shop:8080: allowed\n  ALLOW: AuthorizationPolicy shop/readers spec.rules[0] matches\n",
  );
  const after = await ran(`${asked} -f - --use-cluster`, { cluster, stdin: DENY });
  expect(after.exit).toBe(1);
  expect(after.stdout()).toContain("DENY: AuthorizationPolicy shop/not-web spec.rules[0] (stdin:4) matches");
});

test("what may not be read is told, and the answer is without it", async () => {
  const cluster = fakeCluster({ objects, unlisted: ["Secret"] });
  const { stderr, exit } = await ran("authz affected readers.shop", { cluster });
  expect(stderr()).toContain("Without Secret objects: may not list secrets\n");
  expect(exit).toBe(0);
});

test("the policies of a running proxy are those in its own configuration", async () => {
  const more = [
    policy("none", {}),
    policy("noted", { action: "AUDIT", rules: [{}, { to: [{ operation: { paths: ["/a"] } }] }] }),
    policy("tried", { action: "DENY", rules: [{}] }, { "istio.io/dry-run": "true" }),
  ];
  const mesh = createMesh(createFixedWorld([...objects, ...more]));
  const api = proxiesOf(mesh.model).find(({ name }) => name === "api");
  const listeners = viewOf(mesh, api!).listeners();
  const dump = {
    configs: [
      {
        "@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump",
        dynamic_listeners: listeners.map((listener) => ({ active_state: { listener } })),
      },
    ],
  };
  expect(heldInDump(dump)).toEqual([
    { action: "AUDIT", policy: "noted.shop", rules: 2 },
    { action: "DENY", policy: "tried.shop", rules: 1, dryRun: true },
    { action: "ALLOW", policy: "readers.shop", rules: 1 },
  ]);
  await using answers = await answering({ "/config_dump": dump });
  const cluster = fakeCluster({ objects, portForward: answers.connect });
  const { stdout } = await ran("authz check api.shop", { cluster });
  expect(stdout()).toBe(
    "ACTION   AuthorizationPolicy   RULES\n" +
      "AUDIT    noted.shop            2\n" +
      "DENY     tried.shop            1\n" +
      "ALLOW    readers.shop          1\n",
  );
});

test("a call is decided by the filters in a dump of the proxy, without a cluster", async () => {
  const mesh = createMesh(createFixedWorld(objects));
  const api = proxiesOf(mesh.model).find(({ name }) => name === "api");
  const node = { id: "sidecar~10.1.0.2~api.shop~shop.svc.cluster.local", metadata: { LABELS: { app: "api" } } };
  const section = (name: string): string => `type.googleapis.com/envoy.admin.v3.${name}`;
  const listeners = viewOf(mesh, api!).listeners();
  const dump = {
    configs: [
      { "@type": section("BootstrapConfigDump"), bootstrap: { node } },
      {
        "@type": section("ListenersConfigDump"),
        dynamic_listeners: listeners.map((listener) => ({ active_state: { listener } })),
      },
    ],
  };
  const cwd = mkdtempSync(join(tmpdir(), "authz-"));
  try {
    writeFileSync(join(cwd, "api.json"), JSON.stringify(dump));
    const held = await ran("authz check -f api.json", { cwd });
    expect(held.stdout()).toBe("ACTION   AuthorizationPolicy   RULES\nALLOW    readers.shop          1\n");
    const asked = "authz check api -f api.json --port 8080 --principal cluster.local/ns/shop/sa/web";
    const read = await ran(asked, { cwd });
    expect([read.exit, read.stdout()]).toEqual([
      0,
      "api.shop:8080: allowed\n  ALLOW: AuthorizationPolicy shop/readers spec.rules[0] matches\n",
    ]);
    const written = await ran(`${asked} -X POST`, { cwd });
    expect([written.exit, written.stdout()]).toEqual([
      1,
      "api.shop:8080: refused (403)\n  ALLOW: no rule matches, and what none allows is refused\n",
    ]);
    await expect(ran("authz check -f api.json --port 8080 --from web", { cwd })).rejects.toThrow(
      "a dump does not tell which account --from has",
    );
    await expect(ran("authz check db -f api.json", { cwd })).rejects.toThrow("there is no pod db");
    // what one proxy runs does not tell who else there is
    for (const line of [
      "auth can api -f api.json",
      "graph --static -f api.json",
      "authz explain api --port 1 -f api.json",
    ])
      await expect(ran(line, { cwd })).rejects.toThrow("api.json is the dump of one proxy");
  } finally {
    rmSync(cwd, { recursive: true });
  }
});

test("without a dump a workload has to be named", async () => {
  await expect(ran("authz check", {})).rejects.toThrow("expected a workload");
});

const STATS = `# TYPE istio_requests_total counter
istio_requests_total{reporter="destination",connection_security_policy="mutual_tls",response_code="200"} 7
istio_requests_total{reporter="destination",connection_security_policy="none",response_code="200"} 2
istio_requests_total{reporter="source",connection_security_policy="unknown",response_code="200"} 40
istio_tcp_connections_opened_total{reporter="destination",connection_security_policy="mutual_tls"} 3
istio_tcp_connections_closed_total{reporter="destination",connection_security_policy="mutual_tls"} 3
`;

test("what came in by mutual TLS and what did not, by the server's own counters", () => {
  expect(countersOf(STATS)).toEqual({ mtls: 10, plain: 2 });
});

const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };

async function secretsOf(ca: Ca, roots: string, name = "ROOTCA"): Promise<unknown> {
  const { csr } = await createCsr();
  const identity = { trustDomain: "cluster.local", namespace: "shop", serviceAccount: "web" };
  const leaf = await signWorkload(ca, csr, { identity, peer: peerOf({}), podUid: "" }, validity);
  const bytes = (text: string): object => ({ inline_bytes: Buffer.from(text).toString("base64") });
  const entry = (held: string, secret: object): object => ({ name: held, secret: { name: held, ...secret } });
  return {
    configs: [
      entry(name, { validation_context: { trusted_ca: bytes(roots) } }),
      entry("default", { tls_certificate: { certificate_chain: bytes(leaf) } }),
    ],
  };
}

test("pods that trust different roots, and certificates that are refused", async () => {
  const [first, second] = [await createRoot("first", validity), await createRoot("second", validity)];
  const both = `${first.roots}${second.roots}`;
  const held = [
    trustIn("a.shop", await secretsOf(first, both)),
    trustIn("b.shop", await secretsOf(second, both)),
    trustIn("c.shop", await secretsOf(first, first.roots)),
  ];
  expect(trustGroups(held).map(({ pods, roots }) => [pods, roots.length])).toEqual([
    [["a.shop", "b.shop"], 2],
    [["c.shop"], 1],
  ]);
  expect(mistrusts(held)).toEqual([{ pods: ["b.shop"], issuer: "O=second", refusedBy: ["c.shop"] }]);
  // a gateway that verifies no peer trusts the mesh's roots, and refuses nobody
  const gateway = trustIn("gateway.shop", await secretsOf(first, first.roots, "ROOTCA-CONTROL-PLANE"));
  expect(gateway.roots).toHaveLength(1);
  expect(mistrusts([...held.slice(1, 2), gateway])).toEqual([]);
  // the root alone is what counts: with both everywhere nobody is refused
  expect(mistrusts(held.slice(0, 2))).toEqual([]);
});

test("mtls report of a cluster: modes, counters, roots", async () => {
  const ca = await createRoot("first", validity);
  await using answers = await answering({
    "/config_dump?resource=dynamic_active_secrets": await secretsOf(ca, ca.roots),
    "/stats/prometheus?filter=istio_(requests_total|tcp_connections_opened_total)": STATS,
  });
  const cluster = fakeCluster({ objects, portForward: answers.connect });
  const { stdout, exit } = await ran("mtls report", { cluster });
  expect(stdout()).toBe(
    "WORKLOAD   PORT     MODE         CLIENTS      BECAUSE\n" +
      "api.shop   8080     PERMISSIVE   mutual TLS   the default\n" +
      "api.shop   others   PERMISSIVE   -            the default\n" +
      "web.shop   others   PERMISSIVE   -            the default\n" +
      "0 ports take mutual TLS alone, 3 take both, 0 none; 0 workloads have no proxy.\n" +
      "POD        BY MUTUAL TLS   PLAIN\n" +
      "api.shop   10              2\n" +
      "web.shop   10              2\n" +
      "2 pods trust O=first\n",
  );
  expect(exit).toBe(0);
  const { stdout: data } = await ran("mtls report -o json", { cluster });
  const ajv = new Ajv({ strict: false });
  const schema = readFileSync(join(import.meta.dirname, "../../schemas/output/mtls-report.schema.json"), "utf8");
  expect(ajv.validate(JSON.parse(schema) as object, JSON.parse(data())), ajv.errorsText()).toBe(true);
});
