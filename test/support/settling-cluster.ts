import type { KubeObject } from "../../src/resources/object.ts";
import { type FakeCluster, fakeCluster, type FakeClusterOptions } from "./fake-cluster.ts";

/** A node that is ready. */
export const readyNode = (labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "n1", labels },
  status: { conditions: [{ type: "Ready", status: "True" }] },
});

/** What controllers and meshd do to an object once it is there. */
export function settle(object: KubeObject): KubeObject {
  if (object.kind === "CustomResourceDefinition")
    return { ...object, status: { conditions: [{ type: "Established", status: "True" }] } };
  if (object.kind === "Deployment") {
    const { replicas = 1 } = object.spec as { readonly replicas?: number };
    return { ...object, status: { replicas, updatedReplicas: replicas, availableReplicas: replicas } };
  }
  if (!object.kind.endsWith("WebhookConfiguration")) return object;
  const webhooks = object["webhooks"] as { clientConfig: object }[];
  return {
    ...object,
    webhooks: webhooks.map((hook) => ({ ...hook, clientConfig: { ...hook.clientConfig, caBundle: "Q0E=" } })),
  };
}

/** A cluster in memory in which what is applied becomes ready at once. */
export function settlingCluster(more: FakeClusterOptions = {}): FakeCluster {
  return fakeCluster({ objects: [readyNode()], onApply: settle, ...more });
}
