import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createSecureServer } from "node:tls";
import { Ajv } from "ajv";
import { afterEach, expect, test } from "vitest";
import { run as create } from "../../src/commands/ca/create.ts";
import { run as revokeCommand } from "../../src/commands/ca/revoke.ts";
import { run as rotateCommand } from "../../src/commands/ca/rotate.ts";
import { type CaStatus, run as status } from "../../src/commands/ca/status.ts";
import { encoded } from "../../src/pki/authority-secret.ts";
import { type Ca, createRoot, issueServing, signWorkload } from "../../src/pki/ca.ts";
import { createCsr } from "../../src/pki/create-csr.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { type FakeCluster, fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { peer } from "../support/xds-case.ts";

// `meshctl ca` where somebody else signs workloads: a signer of the cluster, or an issuer that workloads ask themselves.

const ISTIO = "istio-system";
const DAY_MS = 24 * 3_600_000;
const within = (days: number) => ({
  notBefore: new Date(Date.now() - DAY_MS),
  notAfter: new Date(Date.now() + days * DAY_MS),
});
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

interface Proxy {
  readonly by: Ca;
  readonly roots: string;
  readonly days?: number;
}

/** A control plane with this environment that shows a certificate of `serving`, and proxies `web-1`, `web-2` of `shop`. */
async function meshOf(
  env: Readonly<Record<string, string>>,
  of: { readonly serving: Ca; readonly proxies: readonly Proxy[]; readonly objects?: readonly KubeObject[] },
): Promise<FakeCluster> {
  const names = of.proxies.map((_, index) => `web-${index + 1}`);
  const dumps = await Promise.all(of.proxies.map(dumpOf));
  const pair = await issueServing(of.serving, { dns: ["istiod.istio-system.svc"] }, within(10));
  const tls = createSecureServer({ cert: pair.certificate, key: pair.key.pem(), ALPNProtocols: ["h2"] });
  tls.on("tlsClientError", () => undefined);
  tls.on("secureConnection", (socket) => socket.on("error", () => undefined));
  const states = names.map((name) => ({
    proxy: `${name}.shop`,
    cluster_id: "Kubernetes",
    istio_version: "",
    types: {},
  }));
  const https = [states, ...dumps].map((answer) => createServer((_, response) => response.end(JSON.stringify(answer))));
  for (const server of [tls, ...https]) {
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    closing.push(() => server.close());
  }
  const [debug, ...admins] = https;
  const portOf = (pod: string, port: number): number => {
    const server = port === 15_012 ? tls : pod.startsWith("istiod") ? debug : admins[names.indexOf(pod)];
    const address = server?.address();
    if (typeof address !== "object" || address === null) throw new Error(`nobody listens for ${pod}:${port}`);
    return address.port;
  };
  return fakeCluster({
    objects: [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "istiod-1", namespace: ISTIO, labels: { app: "istiod" } },
        spec: {
          containers: [{ name: "discovery", env: Object.entries(env).map(([name, value]) => ({ name, value })) }],
        },
        status: { phase: "Running" },
      },
      ...(of.objects ?? []),
    ],
    portForward: ({ pod, port }) => connect(portOf(pod, port), "127.0.0.1"),
  });
}

async function dumpOf({ by, roots, days = 5 }: Proxy): Promise<unknown> {
  const identity = { trustDomain: "cluster.local", namespace: "shop", serviceAccount: "web" };
  const span = { notBefore: new Date(Date.now() - 20 * DAY_MS), notAfter: new Date(Date.now() + days * DAY_MS) };
  const leaf = await signWorkload(by, (await createCsr()).csr, { identity, peer: peer({}), podUid: "" }, span);
  return {
    configs: [
      { name: "default", secret: { tls_certificate: { certificate_chain: { inline_string: leaf } } } },
      { name: "ROOTCA", secret: { validation_context: { trusted_ca: { inline_string: roots } } } },
    ],
  };
}

async function told(cluster: FakeCluster): Promise<{ readonly exitCode: number; readonly status: CaStatus }> {
  const io = fakeIo({ cluster, now: () => new Date() });
  const { exitCode } = await status({ args: [], options: { output: "json" } }, io);
  const data = JSON.parse(io.stdout()) as CaStatus;
  const schema = readFileSync(join(import.meta.dirname, "../../schemas/output/ca-status.schema.json"), "utf8");
  const ajv = new Ajv({ strict: false });
  expect(ajv.validate(JSON.parse(schema) as object, data), ajv.errorsText()).toBe(true);
  return { exitCode, status: data };
}

const OUTSIDE = { ENABLE_CA_SERVER: "false" };

test("an issuer that workloads ask themselves: status says so, whom all trust, and what each proxy holds", async () => {
  const issuer = await createRoot("issuer", within(1000));
  const proxy = { by: issuer, roots: issuer.roots };
  const cluster = await meshOf(OUTSIDE, { serving: issuer, proxies: [proxy, proxy] });
  const { exitCode, status: data } = await told(cluster);
  expect(exitCode).toBe(0);
  expect(data).toMatchObject({
    signer: "an issuer that workloads ask themselves (ENABLE_CA_SERVER=false)",
    roots: [{ subject: "O=issuer" }],
    proxies: [
      { name: "web-1", issuer: "O=issuer", problems: [] },
      { name: "web-2", issuer: "O=issuer", problems: [] },
    ],
    problems: [],
  });
  expect(data).not.toHaveProperty("authority");
  const io = fakeIo({ cluster, now: () => new Date() });
  await status({ args: [], options: {} }, io);
  expect(io.stdout()).toMatch(/^Signs: +an issuer that workloads ask themselves .*\nTrusted: +O=issuer, until/);
});

test("a signer of the cluster beside the control plane's own authority: both roots, neither is a problem", async () => {
  const [own, issuer] = [await createRoot("cluster.local", within(1000)), await createRoot("signer", within(1000))];
  const both = `${own.roots}${issuer.roots}`;
  const proxy = { by: issuer, roots: both };
  const secret: KubeObject = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "istio-ca-secret", namespace: ISTIO },
    data: encoded({ "ca-cert.pem": own.certificate, "ca-key.pem": own.key.pem() }),
  };
  const env = { EXTERNAL_CA: "ISTIOD_RA_KUBERNETES_API", K8S_SIGNER: "issuers.example.com/mesh" };
  const cluster = await meshOf(env, { serving: own, proxies: [proxy, proxy], objects: [secret] });
  const { exitCode, status: data } = await told(cluster);
  expect([exitCode, data.signer, data.roots.map(({ subject }) => subject)]).toEqual([
    0,
    "signer issuers.example.com/mesh of the cluster (EXTERNAL_CA=ISTIOD_RA_KUBERNETES_API)",
    ["O=cluster.local", "O=signer"],
  ]);
});

test("what others would not take, what has ended, and a control plane that nobody trusts are told", async () => {
  const [first, second] = [await createRoot("first", within(30)), await createRoot("second", within(1000))];
  const proxies = [
    { by: first, roots: first.roots },
    { by: second, roots: `${first.roots}${second.roots}` },
    { by: first, roots: first.roots, days: -1 },
  ];
  const { exitCode, status: data } = await told(await meshOf(OUTSIDE, { serving: second, proxies }));
  expect(exitCode).toBe(1);
  expect(data.proxies.map(({ problems }) => problems)).toEqual([
    [],
    ["no root of web-1.shop, web-3.shop leads to its certificate"],
    [expect.stringContaining("its certificate ended on")],
  ]);
  expect(data.problems).toEqual([
    expect.stringContaining("O=first ends on"),
    expect.stringContaining("control plane pod istiod-1:"),
  ]);
});

test("rotate and revoke change nothing, and say what to do; create makes files all the same", async () => {
  const issuer = await createRoot("issuer", within(1000));
  const cluster = await meshOf(OUTSIDE, { serving: issuer, proxies: [] });
  const io = fakeIo({ cluster, now: () => new Date() });
  const words = "the control plane signs no workloads: certificates come from an issuer that workloads ask themselves";
  const rotated = rotateCommand({ args: [], options: { skipConfirmation: true } }, io);
  await expect(rotated).rejects.toMatchObject({
    message: expect.stringContaining(words) as string,
    hint: expect.stringContaining("meshConfig.caCertificates") as string,
  });
  const revoked = revokeCommand({ args: ["5f"], options: { skipConfirmation: true } }, io);
  await expect(revoked).rejects.toThrow(words);
  expect(cluster.changes()).toEqual([]);
  const folder = mkdtempSync(join(tmpdir(), "ca-"));
  try {
    const made = await create({ args: [], options: { out: join(folder, "ca"), key: "ecdsa" } }, io);
    expect(made.exitCode).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
