import { expect, test } from "vitest";
import { peerLabelsOf } from "../../src/agent/metadata.ts";
import { peerLabels } from "../../src/model/workload.ts";
import { PEER_KEYS, peerEnvironment, peerEnvironmentOf } from "../../src/base/peer.ts";

test.each([
  [
    "labels of the mesh win",
    {
      "service.istio.io/canonical-name": "front",
      "service.istio.io/canonical-revision": "r2",
      app: "web",
      version: "v1",
    },
  ],
  ["then the recommended ones", { "app.kubernetes.io/name": "front", "app.kubernetes.io/version": "1.2", app: "web" }],
  ["then app and version", { app: "web", version: "v1" }],
  ["then the workload", {}],
])("Envoy's environment says what meshd puts in the certificate: %s", (_name, labels) => {
  const pod = {
    metadata: {
      name: "web-5f6-abc",
      namespace: "shop",
      uid: "u",
      resourceVersion: "1",
      labels: { ...labels, "pod-template-hash": "5f6" },
      ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-5f6", uid: "r", controller: true }],
    },
  };
  const environment = peerEnvironmentOf(
    peerLabelsOf({ LABELS: labels, WORKLOAD_NAME: "web", NAMESPACE: "shop", CLUSTER_ID: "Kubernetes" }),
  );
  const signed = peerLabels(pod, "Kubernetes");
  expect(environment).toMatchObject(Object.fromEntries(PEER_KEYS.map((key) => [peerEnvironment(key), signed[key]])));
});
