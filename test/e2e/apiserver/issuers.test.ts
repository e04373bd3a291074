import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requestCertificate } from "../../../src/grpc/ca-client.ts";
import { createRoot } from "../../../src/pki/ca.ts";
import { readCertificate } from "../../../src/pki/certificate.ts";
import { createCsr } from "../../../src/pki/create-csr.ts";
import { issueAuthority } from "../../../src/pki/issue-authority.ts";
import { startCsrSigner } from "../../support/controlplane/csr-signer.ts";
import { type Installed, install, renderedObjects, rootCert } from "../../support/controlplane/installed.ts";
import { pod } from "../../support/controlplane/mesh-objects.ts";
import { type MeshdProcess, type MeshdSettings, spawnMeshd } from "../../support/controlplane/meshd-process.ts";
import { type CertificateIssuer, startCertificateIssuer } from "../../support/issuer/issuer.ts";
import { type IssuedProxy, startIssuedProxy } from "../../support/issuer/proxies.ts";
import { waitFor } from "../../support/wait.ts";

// Workloads whose certificates come from somebody else than meshd: a signer of the cluster, and an issuer that speaks the mesh's own
// protocol, as cert-manager's istio-csr does. Real kube-apiserver, meshd and agents as built, real Envoys.

let mesh: Installed;
let cluster: Installed["cluster"];
let ports: Installed["ports"];

beforeAll(async () => {
  mesh = await install();
  ({ cluster, ports } = mesh);
});

afterAll(async () => {
  await mesh?.stop();
});

test("a signer of the cluster signs workloads, by requests that meshd makes, approves and deletes", async () => {
  const NAME = "issuers.example.com/mesh";
  const day = 24 * 3_600_000;
  const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
  const issuer = await createRoot("issuer", validity);
  const ca = await issueAuthority(issuer, { trustDomain: "issuer", commonName: "below", kind: "ecdsa", validity });
  const signer = startCsrSigner(cluster, ca, NAME);
  const env = "components.pilot.k8s.env";
  const set = [`${env}.EXTERNAL_CA=ISTIOD_RA_KUBERNETES_API`, `${env}.K8S_SIGNER=${NAME}`];
  const granted = renderedObjects(set).find(
    ({ kind, metadata }) => kind === "ClusterRole" && metadata.name.startsWith("istiod-clusterrole"),
  )!;
  await cluster.apply(granted, { fieldManager: "test", force: true });
  await mesh.startPlane({ externalCa: { signer: NAME } });
  const roots = await mesh.roots();
  const ask = async (csr: string): Promise<readonly string[]> =>
    requestCertificate({
      address: { host: "127.0.0.1", port: ports.secureGrpc },
      serverName: "istiod.istio-system.svc",
      roots,
      csr,
      ttlSeconds: 3600,
      credential: { kind: "token", token: await mesh.tokenOf("shop", "web") },
      clusterId: "Kubernetes",
      timeout: 10_000,
    });
  const web = { trustDomain: "cluster.local", namespace: "shop", serviceAccount: "web" };
  const { csr } = await createCsr(web);
  try {
    // the mesh does not trust that issuer yet
    await expect(ask(csr)).rejects.toThrow("none of the mesh's roots");
    const config = { apiVersion: "v1", kind: "ConfigMap", namespace: "istio-system", name: "istio" };
    const before = ((await cluster.get(config))?.["data"] as Record<string, string> | undefined)?.["mesh"] ?? "";
    const trusting = `${before}\ncaCertificates: [{ pem: ${JSON.stringify(issuer.certificate)} }]\n`;
    await cluster.mergePatch(config, { data: { mesh: trusting } });
    const bundle = async () =>
      ((await cluster.get(rootCert("shop")))?.["data"] as Record<string, string> | undefined)?.["root-cert.pem"];
    await waitFor(async () => (await bundle()) === `${roots}${issuer.certificate}`, { what: "both roots" });
    const [leaf = "", above, trusted] = await ask(csr);
    expect(readCertificate(leaf).identity).toEqual(web);
    expect([above, trusted]).toEqual([ca.certificate, `${roots}${issuer.certificate}`]);
    expect(signer.users).toContain("system:serviceaccount:istio-system:istiod");
    // a request says who it is for, and it is the caller
    await expect(ask((await createCsr()).csr)).rejects.toThrow("no name");
    await expect(ask((await createCsr({ ...web, serviceAccount: "other" })).csr)).rejects.toThrow("sa/other");
    signer.mode = "rename";
    await expect(ask(csr)).rejects.toThrow("of another name");
    signer.mode = "deny";
    await expect(ask(csr)).rejects.toThrow("not today");
    const kind = { apiVersion: "certificates.k8s.io/v1", kind: "CertificateSigningRequest" };
    await waitFor(async () => (await cluster.list(kind)).length === 0, { what: "no request to be left" });
    await cluster.mergePatch(config, { data: { mesh: before } });
  } finally {
    await signer.close();
    await mesh.stopPlane();
  }
});

/** Certificates last so long: proxies renew them while the test runs. */
const TTL_SECONDS = 6;
const WEB = "127.234";
const CLIENT = "127.235";

let issuer: CertificateIssuer;
let meshd: MeshdProcess | undefined;
let app: Server;
const proxies: IssuedProxy[] = [];

async function startMeshd(args: readonly string[]): Promise<void> {
  const settings: MeshdSettings = { args, env: { ENABLE_CA_SERVER: "false" } };
  meshd = spawnMeshd(ports, mesh.kubeconfig, settings);
  const isReady = async (): Promise<boolean> => (await fetch(`http://127.0.0.1:${ports.http}/ready`)).status === 200;
  await waitFor(isReady, { timeoutMs: 30_000, what: "meshd to be ready" }).catch((error: unknown) => {
    throw new Error(meshd?.output(), { cause: error });
  });
}

async function stopMeshd(): Promise<void> {
  meshd?.process.kill("SIGTERM");
  await meshd?.ended;
  meshd = undefined;
}

afterAll(async () => {
  for (const proxy of proxies) await proxy.stop();
  app?.close();
  await stopMeshd();
  issuer?.close();
});

async function proxyOf(name: string, account: string, prefix: string): Promise<IssuedProxy> {
  const uid = await pod(cluster, { namespace: "shop", name, account, ip: `${prefix}.0.1` }, { app: account });
  const token = await mesh.tokenOf("shop", account, { name, uid });
  const { root: roots } = issuer;
  const proxy = await startIssuedProxy({
    name,
    account,
    token,
    prefix,
    roots,
    discoveryPort: ports.secureGrpc,
    issuer,
  });
  proxies.push(proxy);
  return proxy;
}

async function connected(): Promise<readonly string[]> {
  const answer = await fetch(`http://127.0.0.1:${ports.monitoring}/debug/syncz`);
  return ((await answer.json()) as { readonly proxy: string }[]).map(({ proxy }) => proxy).toSorted();
}

test("an issuer in a process of its own: meshd shows its certificate and signs nothing; proxies talk mutual TLS by its certificates", async () => {
  issuer = await startCertificateIssuer(mesh.server, TTL_SECONDS);
  // as nobody has made it yet
  await cluster.delete(rootCert("shop"), { propagation: "Background" });
  const { certificate, key, roots } = issuer.files;
  await startMeshd(["--tlsCertFile", certificate, "--tlsKeyFile", key, "--caCertFile", roots]);
  await cluster.create({
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    metadata: { name: "default", namespace: "istio-system" },
    spec: { mtls: { mode: "STRICT" } },
  });
  app = createServer((call, answer) => answer.end(String(call.headers["x-forwarded-client-cert"])));
  await new Promise<void>((resolve) => app.listen(8080, `${WEB}.0.2`, resolve));
  // Kubernetes takes no endpoint on loopback: a ServiceEntry may name one
  await cluster.create({
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name: "web", namespace: "shop" },
    spec: {
      hosts: ["web.test"],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [{ number: 80, targetPort: 8080, name: "http", protocol: "HTTP" }],
      endpoints: [
        {
          address: `${WEB}.0.1`,
          serviceAccount: "web",
          labels: { app: "web", "security.istio.io/tlsMode": "istio" },
        },
      ],
    },
  });
  const web = await proxyOf("web-1", "web", WEB);
  const client = await proxyOf("client-1", "other", CLIENT);
  expect(issuer.issued).toEqual(
    expect.arrayContaining(["spiffe://cluster.local/ns/shop/sa/web", "spiffe://cluster.local/ns/shop/sa/other"]),
  );
  await waitFor(async () => (await connected()).length === 2, { what: "both proxies" });
  await waitFor(async () => (await client.ask("http://web.test/")).startsWith("200 "), {
    what: "an answer of web",
    timeoutMs: 15_000,
  });
  const said = await client.ask("http://web.test/");
  expect(said).toContain("By=spiffe://cluster.local/ns/shop/sa/web");
  expect(said).toContain("URI=spiffe://cluster.local/ns/shop/sa/other");
  expect(await trusted(web)).toBe(1);
  // meshd signs nobody, and leaves the ConfigMap with the roots to the issuer
  await expect(askMeshd(issuer.root)).rejects.toThrow("does not implement");
  expect(await cluster.get(rootCert("shop"))).toBe(undefined);
  await waitFor(async () => (await webhookRoots()).trim() === issuer.root.trim(), {
    what: "the issuer's root in the webhook",
  });
});

test("certificates of the issuer are renewed, by token, and no request fails meanwhile", async () => {
  const [, client] = proxies;
  const before = issuer.issued.length;
  let asked = 0;
  while (issuer.issued.length < before + 4) {
    expect(await client?.ask("http://web.test/")).toMatch(/^200 /);
    asked += 1;
  }
  expect(asked).toBeGreaterThan(20);
});

test("without files meshd shows a certificate of its own: with both roots everything goes on", async () => {
  const [web, client] = proxies;
  await stopMeshd();
  const config = { apiVersion: "v1", kind: "ConfigMap", namespace: "istio-system", name: "istio" };
  const before = ((await cluster.get(config))?.["data"] as Record<string, string> | undefined)?.["mesh"] ?? "";
  const trusting = `${before}\ncaCertificates: [{ pem: ${JSON.stringify(issuer.root)} }]\n`;
  await cluster.mergePatch(config, { data: { mesh: trusting } });
  await startMeshd([]);
  const roots = await waitFor(
    async () => {
      const found = (await cluster.get(rootCert("shop")))?.["data"] as Record<string, string> | undefined;
      return found?.["root-cert.pem"]?.includes(issuer.root) === true ? found : undefined;
    },
    { what: "both roots" },
  );
  // who signs workloads is not known here
  expect(Object.keys(roots)).toEqual(["root-cert.pem"]);
  for (const proxy of proxies) proxy.trust(roots["root-cert.pem"] ?? "");
  await waitFor(async () => (await connected()).length === 2, { what: "both proxies", timeoutMs: 30_000 });
  expect(await trusted(web!)).toBe(2);
  await expect(askMeshd(roots["root-cert.pem"] ?? "")).rejects.toThrow("does not implement");
  expect(await client?.ask("http://web.test/")).toMatch(/^200 /);
});

/** How many roots the proxy's Envoy trusts. */
async function trusted(proxy: IssuedProxy): Promise<number> {
  const { certificates } = JSON.parse(await proxy.admin("/certs")) as {
    readonly certificates: readonly { readonly ca_cert: readonly object[] }[];
  };
  return Math.max(...certificates.map(({ ca_cert }) => ca_cert.length));
}

async function askMeshd(roots: string): Promise<readonly string[]> {
  return requestCertificate({
    address: { host: "127.0.0.1", port: ports.secureGrpc },
    serverName: "istiod.istio-system.svc",
    roots,
    csr: (await createCsr()).csr,
    ttlSeconds: 3600,
    credential: { kind: "token", token: await mesh.tokenOf("shop", "web") },
    clusterId: "Kubernetes",
    timeout: 10_000,
  });
}

async function webhookRoots(): Promise<string> {
  const kind = "admissionregistration.k8s.io/v1";
  const name = "istio-sidecar-injector";
  const found = await cluster.get({ apiVersion: kind, kind: "MutatingWebhookConfiguration", name });
  const hooks = (found?.["webhooks"] ?? []) as readonly { readonly clientConfig: { readonly caBundle?: string } }[];
  return Buffer.from(hooks[0]?.clientConfig.caBundle ?? "", "base64").toString();
}
