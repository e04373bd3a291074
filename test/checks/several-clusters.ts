// oxlint-disable typescript/no-unsafe-member-access, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-return, typescript/no-unsafe-argument -- causes reach into objects of any kind
import { type CheckContext, createFacts } from "../../src/checks/facts.ts";
import { issueServing, signWorkload } from "../../src/pki/ca.ts";
import { createCsr } from "../../src/pki/create-csr.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { peer } from "../support/xds-case.ts";
import { base64, type Cause, later, type Loose, type Mesh, NOW, root, service } from "./parts.ts";

const ISTIO = "istio-system";
const SECRET = `${ISTIO}/istio-remote-secret-west`;
const GATEWAY = `${ISTIO}/istio-eastwestgateway`;
const NETWORK = "topology.istio.io/network";
const validity = () => ({ notBefore: later(-1), notAfter: later(90) });

/** A kubeconfig that leads to this API server. */
function kubeconfig(server: string): string {
  const config = {
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    clusters: [
      { name: "other", cluster: { server: "https://127.0.0.1:1" } },
      { name: "c", cluster: { server } },
    ],
  };
  return base64(JSON.stringify(config));
}

function remoteSecret(name: string, data: Readonly<Record<string, string>>): Loose {
  const metadata = { name, namespace: ISTIO, labels: { "istio/multiCluster": "true" } };
  return { apiVersion: "v1", kind: "Secret", metadata, data };
}

/** Cluster west, as a context of its own leads to it. */
function west(certificate: string): NonNullable<CheckContext["others"]>[number] {
  const metadata = { name: "istio-ca-root-cert", namespace: ISTIO };
  const roots = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { "root-cert.pem": certificate } };
  const cluster = fakeCluster({ objects: [roots as unknown as KubeObject] });
  return { name: "west-admin", clusterId: "west", facts: createFacts(cluster, { istioNamespace: ISTIO, now: NOW }) };
}

/** All meshes have one authority. */
let shown: Promise<string> | undefined;

async function workloadCertificate(ca: Awaited<ReturnType<typeof root>>): Promise<string> {
  const identity = { trustDomain: "cluster.local", namespace: "shop", serviceAccount: "web" };
  const { csr } = await createCsr();
  return signWorkload(ca, csr, { identity, peer: peer({}) }, validity());
}

/** Makes the mesh one of two clusters on two networks. */
export async function withAnotherCluster(mesh: Mesh, ca: Awaited<ReturnType<typeof root>>): Promise<void> {
  mesh.set(remoteSecret("istio-remote-secret-west", { west: kubeconfig("https://10.0.0.1:6443") }));
  mesh.edit("Namespace", ISTIO, ({ metadata }) => (metadata.labels = { ...metadata.labels, [NETWORK]: "net-east" }));
  const spec = { type: "LoadBalancer", ports: [{ name: "tls", port: 15_443 }] };
  mesh.set({
    ...service(ISTIO, "istio-eastwestgateway", spec, { [NETWORK]: "net-east" }),
    status: { loadBalancer: { ingress: [{ ip: "127.77.7.7" }] } },
  });
  mesh.set(service("shop", "web"));
  mesh.edit("Pod", "shop/web", ({ metadata }) => (metadata.labels["security.istio.io/tlsMode"] = "istio"));
  shown ??= workloadCertificate(ca);
  mesh.shown = { certificate: await shown };
  mesh.context = { clusterId: "east", others: [west(ca.certificate)] };
}

/** Causes in a mesh of several clusters, by name of the check. */
export const SEVERAL_CLUSTERS_CAUSES: Readonly<Record<string, Cause>> = {
  "cluster-names": (mesh) => {
    mesh.set(remoteSecret("istio-remote-secret-old", { west: kubeconfig("https://10.0.0.2:6443") }));
    mesh.set(remoteSecret("istio-remote-secret-own", { east: kubeconfig("https://10.0.0.3:6443") }));
    const [other] = mesh.context.others ?? [];
    mesh.context = { ...mesh.context, others: other === undefined ? [] : [{ ...other, clusterId: "east" }] };
  },
  "remote-addresses": (mesh) =>
    mesh.edit("Secret", SECRET, ({ data }) => (data.west = kubeconfig("https://127.0.0.1:6443"))),
  "cluster-network": (mesh) => mesh.edit("Namespace", ISTIO, ({ metadata }) => delete metadata.labels[NETWORK]),
  "network-gateway-address": (mesh) => mesh.edit("Service", GATEWAY, ({ status }) => (status.loadBalancer = {})),
  "network-gateway-tls": async (mesh) => {
    const { certificate } = await issueServing(await root(), { dns: ["lb.example.com"] }, validity());
    mesh.shown = { certificate };
  },
  "cluster-roots": async (mesh) => {
    mesh.context = { ...mesh.context, others: [west((await root()).certificate)] };
  },
};
