import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Cluster } from "../../../src/resources/cluster.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { parseYaml } from "../../../src/resources/yaml-plain.ts";
import { waitFor } from "../wait.ts";

const crds = fileURLToPath(new URL("../../../manifests/base/crds/", import.meta.url));

/** Puts the mesh's CRDs into a cluster and waits until they are served. */
export async function applyCrds(cluster: Cluster): Promise<void> {
  const files = readdirSync(crds).filter((file) => file.endsWith(".yaml"));
  const objects = files.map((file) => parseYaml(readFileSync(crds + file, "utf8")) as KubeObject);
  await Promise.all(objects.map((object) => cluster.apply(object, { fieldManager: "test", force: true })));
  const kind = { apiVersion: "networking.istio.io/v1", kind: "VirtualService" };
  await waitFor(
    () =>
      cluster.create({ ...kind, metadata: { name: "x", namespace: "default" }, spec: {} }, { dryRun: true }).then(
        () => true,
        (error: Error) => !/no kind|not found|could not find/.test(error.message),
      ),
    {
      what: "the mesh's kinds",
    },
  );
}

const gatewayApi = fileURLToPath(new URL("../../../manifests/gateway-api/", import.meta.url));

/** Puts Gateway API's CRDs into a cluster and waits until they are served. */
export async function applyGatewayApi(cluster: Cluster): Promise<void> {
  const files = readdirSync(gatewayApi).filter((file) => file.endsWith(".yaml"));
  const objects = files.map((file) => parseYaml(readFileSync(gatewayApi + file, "utf8")) as KubeObject);
  await Promise.all(objects.map((object) => cluster.apply(object, { fieldManager: "test", force: true })));
  const kinds = ["GatewayClass", "Gateway", "HTTPRoute"].map((kind) => ({
    apiVersion: "gateway.networking.k8s.io/v1",
    kind,
  }));
  for (const kind of kinds)
    await waitFor(() => cluster.list(kind).then(() => cluster.serves(kind)), { what: `the kind ${kind.kind}` });
}

/** Creates a namespace and the service accounts named. */
export async function namespace(cluster: Cluster, name: string, accounts: readonly string[] = []): Promise<void> {
  await cluster.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  for (const account of accounts)
    await cluster.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: account, namespace: name } });
}

/** A pod that nobody runs, with an address all the same; returns its uid. */
export async function pod(
  cluster: Cluster,
  at: { readonly namespace: string; readonly name: string; readonly account: string; readonly ip: string },
  labels: Readonly<Record<string, string>>,
): Promise<string> {
  const created = await cluster.create({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: at.name, namespace: at.namespace, labels: { ...labels, "security.istio.io/tlsMode": "istio" } },
    spec: {
      serviceAccountName: at.account,
      containers: [{ name: "app", image: "example.test/app:1", ports: [{ name: "http", containerPort: 8080 }] }],
    },
  });
  const ref = { apiVersion: "v1", kind: "Pod", namespace: at.namespace, name: at.name };
  const status = { phase: "Running", podIP: at.ip, podIPs: [{ ip: at.ip }] };
  await cluster.mergePatch(ref, { status }, { subresource: "status" });
  return created.metadata.uid ?? "";
}

/** A Service on port 80 and its slice with these addresses. */
export async function service(
  cluster: Cluster,
  at: { readonly namespace: string; readonly name: string },
  addresses: readonly string[],
): Promise<void> {
  const { namespace: ns, name } = at;
  await cluster.create({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: ns },
    spec: { selector: { app: name }, ports: [{ name: "http", port: 80, targetPort: 8080 }] },
  });
  await cluster.apply(slice(at, addresses), { fieldManager: "test", force: true });
}

/** The EndpointSlice behind such a service. */
export function slice(
  { namespace: ns, name }: { readonly namespace: string; readonly name: string },
  addresses: readonly string[],
): KubeObject {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${name}-1`, namespace: ns, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  };
}
