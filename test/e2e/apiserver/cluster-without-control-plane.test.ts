import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDeltaStream } from "../../../src/grpc/ads-client.ts";
import { type CaCredential, requestCertificate } from "../../../src/grpc/ca-client.ts";
import { render } from "../../../src/install/render.ts";
import { settingsOf } from "../../../src/install/settings.ts";
import { openCluster, openForeignCluster } from "../../../src/kube/cluster.ts";
import { CONTROLLERS_ANNOTATION } from "../../../src/model/members.ts";
import { createRoot, issueServing } from "../../../src/pki/ca.ts";
import { readCertificate } from "../../../src/pki/certificate.ts";
import { createCsr } from "../../../src/pki/create-csr.ts";
import type { Cluster } from "../../../src/resources/cluster.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { parseYaml } from "../../../src/resources/yaml-plain.ts";
import { TYPE_URLS } from "../../../src/xds/types.ts";
import { grantsOf, grantText, unusedGrants } from "../../support/controlplane/grants.ts";
import { type Installed, install, rootCert } from "../../support/controlplane/installed.ts";
import { namespace, pod, service } from "../../support/controlplane/mesh-objects.ts";
import { type RealProxy, startRealProxy } from "../../support/controlplane/real-proxy.ts";
import { type RealApiServer, startApiServer } from "../../support/kube/apiserver.ts";
import { waitFor } from "../../support/wait.ts";

// meshd of cluster east serves the workloads of cluster west, which has no control plane: two real kube-apiservers, with the same
// namespace, account and pod name in both, so that whatever is taken from the wrong one shows.

const READER = "system:serviceaccount:istio-system:istio-reader-service-account";
const POD = { namespace: "shop", name: "web-1", account: "web" };
const HOOKS = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "MutatingWebhookConfiguration",
  name: "istio-sidecar-injector",
};
const REVOCATIONS = { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "istio-ca-crl" };
const LEASE = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", namespace: "istio-system", name: "istio-leader" };

let mesh: Installed;
let server: RealApiServer;
let west: Cluster;
let envoy: RealProxy;
let roots = "";
let installed: readonly KubeObject[];
const uids: Record<string, string> = {};
const running: RealProxy[] = [];

const apply = (cluster: Cluster, object: KubeObject) => cluster.apply(object, { fieldManager: "test", force: true });
const clusterOf = (id: string): Cluster => (id === "west" ? west : mesh.cluster);

beforeAll(async () => {
  [mesh, server] = await Promise.all([install(), startApiServer({ audit: true })]);
  west = await openCluster({ kubeconfig: server.kubeconfig, env: {} });
  await namespace(west, "istio-system");
  await namespace(west, "shop", ["web"]);
  const former = { name: "istio-ca-crl", namespace: "shop" };
  await apply(west, { apiVersion: "v1", kind: "ConfigMap", metadata: former, data: { "ca-crl.pem": "former" } });
  installed = render(
    settingsOf("remote", [
      "components.base.enabled=false",
      "values.global.remotePilotAddress=192.0.2.10",
      `values.istiodRemote.injectionURL=https://127.0.0.1:${mesh.ports.https}/inject/cluster/west/net/net-west`,
    ]),
  ).flatMap(({ objects }) => objects);
  for (const object of installed) await apply(west, object);
  const args = ["create-remote-secret", "--kubeconfig", server.kubeconfig, "--name", "west"];
  const { stdout, stderr } = spawnSync(process.execPath, ["bin/meshctl.js", ...args], { encoding: "utf8" });
  expect(stderr).toContain("only this machine reaches");
  await apply(mesh.cluster, parseYaml(stdout.replace(/---\n$/, "")) as KubeObject);
  await mesh.startPlane({ clusterId: "east", openRemote: (text) => openForeignCluster(text, new Set()) });
  for (const [id, ip] of [
    ["east", "127.246.0.1"],
    ["west", "127.247.0.1"],
  ] as const) {
    await service(clusterOf(id), { namespace: "shop", name: id }, [ip.replace("127", "10")]);
    uids[id] = await pod(clusterOf(id), { ...POD, ip }, { app: id });
  }
  roots = await mesh.roots();
}, 120_000);

afterAll(async () => {
  for (const proxy of running) await proxy.stop();
  await mesh?.stop();
  await server?.stop();
});

/** A token of the pod of that name in a cluster. */
const tokenOf = (id: string): Promise<string> =>
  clusterOf(id).createToken({
    namespace: "shop",
    serviceAccount: "web",
    audiences: ["istio-ca"],
    pod: { name: POD.name, uid: uids[id] ?? "" },
  });

/** A certificate for a token of one cluster from a caller that says it is in another, or in this. */
async function certificate(
  tokenFrom: string,
  says: string | undefined,
): Promise<CaCredential & { readonly chain: string }> {
  const { csr, key } = await createCsr();
  const chain = await requestCertificate({
    address: { host: "127.0.0.1", port: mesh.ports.secureGrpc },
    serverName: "istiod.istio-system.svc",
    roots,
    csr,
    ttlSeconds: 3600,
    credential: { kind: "token", token: await tokenOf(tokenFrom) },
    clusterId: says,
    timeout: 10_000,
  });
  return { kind: "certificate", chain: chain.slice(0, -1).join(""), key };
}

const rootsIn = async (cluster: Cluster, ns: string): Promise<string | undefined> =>
  ((await cluster.get(rootCert(ns)))?.["data"] as Readonly<Record<string, string>> | undefined)?.["root-cert.pem"];

/** Who writes in west. */
async function leader(): Promise<string | undefined> {
  const { holderIdentity } = ((await west.get(LEASE))?.spec ?? {}) as { readonly holderIdentity?: string };
  return holderIdentity;
}

test("nothing is written in a cluster that does not name us", async () => {
  await waitFor(
    async () => (await asked()).some(({ verb, objectRef }) => verb === "watch" && objectRef?.resource === "pods"),
    {
      what: "west to be followed",
    },
  );
  const written = (await asked()).filter(({ verb }) => !["get", "list", "watch"].includes(verb));
  expect(written.map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([]);
});

test("named by west, each of its namespaces gets the root certificate, also one that is made later", async () => {
  const system = { apiVersion: "v1", kind: "Namespace", name: "istio-system" };
  await west.mergePatch(system, { metadata: { annotations: { [CONTROLLERS_ANNOTATION]: "north, east" } } });
  await namespace(west, "later");
  for (const ns of ["shop", "later"])
    await waitFor(async () => (await rootsIn(west, ns)) === roots, { what: `the root certificate in ${ns}` });
  await west.mergePatch(rootCert("later"), { data: { "root-cert.pem": "nonsense" } });
  await waitFor(async () => (await rootsIn(west, "later")) === roots, { what: "the root certificate put back" });
  await waitFor(async () => Object.keys((await west.get(REVOCATIONS))?.["data"] ?? {}).length === 0, {
    what: "lists of a former control plane to go",
  });
  expect(await leader()).toBe("istiod-0");
});

test("west's API server asks us, by URL and by our CA, and pods become proxies of west", async () => {
  const bundle = Buffer.from(roots).toString("base64");
  await waitFor(
    async () => {
      const hooks = (await west.get(HOOKS))?.["webhooks"] as readonly { clientConfig: { caBundle?: string } }[];
      return hooks.every(({ clientConfig }) => clientConfig.caBundle === bundle);
    },
    { what: "our CA in west's webhooks" },
  );
  const bare: KubeObject = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "injected", namespace: "shop", labels: { "sidecar.istio.io/inject": "true" } },
    spec: { serviceAccountName: "web", containers: [{ name: "app", image: "example.test/app:1" }] },
  };
  const made = await waitFor(
    async () => {
      const pod = await west.create(bare, { dryRun: true });
      return JSON.stringify(pod.spec).includes("istio-proxy") ? pod : undefined;
    },
    { what: "an injected pod" },
  );
  expect(made.metadata.labels).toMatchObject({ "topology.istio.io/network": "net-west" });
  expect(JSON.stringify(made.spec)).toContain('{"name":"ISTIO_META_CLUSTER_ID","value":"west"}');
});

test("a token is reviewed by the cluster that its bearer names, and by no other", async () => {
  const [own] = [readCertificate((await certificate("west", "west")).chain)];
  expect(own).toMatchObject({
    podUid: uids["west"],
    cluster: "west",
    identity: { namespace: "shop", serviceAccount: "web" },
  });
  expect(readCertificate((await certificate("east", undefined)).chain)).toMatchObject({
    podUid: uids["east"],
    cluster: "east",
  });
  for (const [token, says] of [
    ["west", "east"],
    ["west", undefined],
    ["east", "west"],
    ["west", "north"],
  ] as const)
    await expect(certificate(token, says), `${token} as ${says}`).rejects.toThrow(/proves a service account/);
  const audited = mesh.log.lines.filter(
    ({ fields }) => fields["audit"] === "certificate" && fields["outcome"] === "issued",
  );
  expect(audited.map(({ fields }) => [fields["cluster"], fields["podUid"]])).toEqual([
    ["west", uids["west"]],
    ["east", uids["east"]],
  ]);
});

/** Opens a stream as the pod of a cluster; resolves with how it ended, or "served". */
async function stream(credential: CaCredential, says: string): Promise<string> {
  return new Promise((resolve) => {
    const close = openDeltaStream(
      {
        address: { host: "127.0.0.1", port: mesh.ports.secureGrpc },
        serverName: "istiod.istio-system.svc",
        roots,
        credential,
        clusterId: says,
        node: {
          id: "sidecar~127.247.0.1~web-1.shop~shop.svc.cluster.local",
          metadata: { CLUSTER_ID: says, NAMESPACE: "shop", SERVICE_ACCOUNT: "web" },
        },
        typeUrl: TYPE_URLS.cluster,
        held: {},
      },
      {
        onResource: () => undefined,
        onRemoved: () => undefined,
        onSettled: () => {
          close();
          resolve("served");
        },
        onEnd: ({ error = "" }) => resolve(error),
      },
    );
  });
}

test("a certificate of one cluster is no node of another, whoever shares its name there", async () => {
  expect(await stream(await certificate("west", "west"), "west")).toBe("served");
  expect(await stream(await certificate("east", "east"), "east")).toBe("served");
  expect(await stream(await certificate("west", "west"), "east")).toContain(
    'a workload of cluster west may not be a node of cluster "east"',
  );
  expect(await stream(await certificate("east", "east"), "west")).toContain(
    'a workload of cluster east may not be a node of cluster "west"',
  );
  expect(await stream(await certificate("west", "west"), "north")).toContain('cluster "north" is not known');
});

test("a real Envoy of west is configured as west's pod: its own services inbound, endpoints of both clusters", async () => {
  const who = { namespace: "shop", pod: POD.name, account: "web", prefix: "127.247" };
  const token = await tokenOf("west");
  envoy = await startRealProxy({ port: mesh.ports.secureGrpc, roots, token, clusterId: "west", ...who });
  running.push(envoy);
  await waitFor(
    async () => (await envoy.admin("/clusters")).includes("outbound|80||east.shop.svc.cluster.local::10.246"),
    {
      what: "east's endpoints",
    },
  );
  const clusters = await envoy.admin("/clusters");
  expect(clusters).toContain("outbound|80||west.shop.svc.cluster.local::10.247");
  const inbound = (await envoy.dump()).match(/"inbound_[^"]*"|inbound\|[^"]*/g) ?? [];
  expect(inbound.length).toBeGreaterThan(0);
  const answer = await fetch(`http://127.0.0.1:${mesh.ports.monitoring}/debug/syncz`);
  expect(await answer.json()).toEqual([expect.objectContaining({ proxy: "web-1.shop", cluster_id: "west" })]);
});

test("a gateway of west shows west's certificate, when its account may read it there", async () => {
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const ca = await createRoot("example.com", validity);
  for (const id of ["east", "west"]) {
    const { certificate: chain, key } = await issueServing(ca, { dns: [`${id}.example.com`] }, validity);
    await apply(clusterOf(id), {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "shop-cert", namespace: "shop" },
      type: "kubernetes.io/tls",
      stringData: { "tls.crt": chain, "tls.key": key.pem() },
    } as KubeObject);
  }
  const rbac = "rbac.authorization.k8s.io";
  await apply(west, {
    apiVersion: `${rbac}/v1`,
    kind: "Role",
    metadata: { name: "certs", namespace: "shop" },
    rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["list"] }],
  } as KubeObject);
  await apply(west, {
    apiVersion: `${rbac}/v1`,
    kind: "RoleBinding",
    metadata: { name: "certs", namespace: "shop" },
    roleRef: { apiGroup: rbac, kind: "Role", name: "certs" },
    subjects: [{ kind: "ServiceAccount", name: "web", namespace: "shop" }],
  } as KubeObject);
  const tls = { mode: "SIMPLE", credentialName: "shop-cert" };
  const port = { number: 18443, name: "https", protocol: "HTTPS" };
  await apply(mesh.cluster, {
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: { name: "edge", namespace: "shop" },
    spec: { selector: { app: "west" }, servers: [{ port, hosts: ["west.example.com"], tls }] },
  });
  await apply(mesh.cluster, {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "edge", namespace: "shop" },
    spec: { hosts: ["west.example.com"], gateways: ["edge"], http: [{ directResponse: { status: 200 } }] },
  });
  const who = { namespace: "shop", pod: POD.name, account: "web", prefix: "127.247", type: "router" } as const;
  const token = await tokenOf("west");
  const gateway = await startRealProxy({ port: mesh.ports.secureGrpc, roots, token, clusterId: "west", ...who });
  running.push(gateway);
  const shown = await waitFor(
    async () => {
      const { certificates } = JSON.parse(await gateway.admin("/certs")) as {
        certificates: readonly { cert_chain: readonly { subject_alt_names: readonly { dns?: string }[] }[] }[];
      };
      const names = certificates.flatMap(({ cert_chain: chain }) => chain.flatMap(({ subject_alt_names: all }) => all));
      return names.find(({ dns }) => dns?.endsWith(".example.com"))?.dns;
    },
    { what: "a certificate at the gateway" },
  );
  expect(shown).toBe("west.example.com");
});

test("what the role lets us do in west is what we do there; the Secret gone, others may lead", async () => {
  const secret = { apiVersion: "v1", kind: "Secret", namespace: "istio-system", name: "istio-remote-secret-west" };
  await mesh.cluster.delete(secret, { propagation: "Background" });
  await waitFor(async () => (await leader()) === "", {
    what: "the lease to be given up",
  });
  const requests = await asked();
  const refused = requests.filter(({ responseStatus }) => responseStatus?.code === 403);
  expect(refused.map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([]);
  const roles = installed.filter(({ kind }) => kind === "ClusterRole" || kind === "Role");
  expect(unusedGrants(grantsOf(roles), requests).map(grantText)).toEqual([]);
});

const asked = () => server.audited(READER);

test("the certificate of the control plane holds for the names of such clusters", async () => {
  const { connect } = await import("node:tls");
  const names = await new Promise<string>((resolve, reject) => {
    const at = { host: "127.0.0.1", port: mesh.ports.https, servername: "istiod-remote.istio-system.svc", ca: roots };
    const socket = connect(at, () => {
      resolve(new X509Certificate(socket.getPeerCertificate().raw).subjectAltName ?? "");
      socket.destroy();
    });
    socket.once("error", reject);
  });
  expect(names).toContain("DNS:istiod.istio-system.svc");
});
