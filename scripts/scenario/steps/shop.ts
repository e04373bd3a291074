import { VERSION } from "../../../src/gen/version.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { must, type Scenario } from "../context.ts";
import { applyFile, applyText, createNamespace, waitAvailable } from "../kubectl.ts";

/** The namespace of the sample application: its pods get a sidecar. */
export const SHOP = "shop";
/** A namespace outside of the mesh, with a client that has no sidecar. */
export const CLIENTS = "outside";

const PLAIN_CLIENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: client
spec:
  selector:
    matchLabels: {app: client}
  template:
    metadata:
      labels: {app: client}
    spec:
      containers:
        - name: client
          image: docker.io/meshctl/samples:${VERSION}
          imagePullPolicy: IfNotPresent
          args: ["--role", "client", "--port", "8080"]
          ports:
            - containerPort: 8080
`;

/** The sample application, injected by the webhook; one client outside of the mesh. */
export const shop = {
  title: "Run the sample application with a sidecar in every pod",
  async run(scenario: Scenario): Promise<void> {
    await createNamespace(scenario, SHOP, { "istio-injection": "enabled" });
    await createNamespace(scenario, CLIENTS);
    await applyFile(scenario, SHOP, "samples/shop/shop.yaml");
    await applyText(scenario, CLIENTS, "client.yaml", PLAIN_CLIENT);
    await waitAvailable(scenario, SHOP);
    await waitAvailable(scenario, CLIENTS);
    const pods = await scenario.cluster.list({ apiVersion: "v1", kind: "Pod" }, { namespace: SHOP });
    const bare = pods.filter((pod) => !containers(pod).includes("istio-proxy")).map((pod) => pod.metadata.name);
    must(bare.length === 0 && pods.length >= 7, `${pods.length} pods, without a sidecar: ${bare.join(", ")}`);
    scenario.say(`  ${pods.length} pods, each with the application, mesh-agent and Envoy`);
  },
};

/** Names of all containers, native sidecars included. */
function containers(pod: KubeObject): readonly string[] {
  const spec = pod.spec as { containers: readonly { name: string }[]; initContainers?: readonly { name: string }[] };
  return [...spec.containers, ...(spec.initContainers ?? [])].map(({ name }) => name);
}
