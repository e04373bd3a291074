import type { Cluster, KindRef } from "../../src/resources/cluster.ts";

/** Kinds whose objects an uninstall must have taken away again; what the cluster itself writes all the time is left out. */
const KINDS: readonly KindRef[] = [
  { apiVersion: "v1", kind: "Namespace" },
  { apiVersion: "v1", kind: "ConfigMap" },
  { apiVersion: "v1", kind: "Secret" },
  { apiVersion: "v1", kind: "Service" },
  { apiVersion: "v1", kind: "ServiceAccount" },
  { apiVersion: "v1", kind: "Pod" },
  { apiVersion: "apps/v1", kind: "Deployment" },
  { apiVersion: "apps/v1", kind: "ReplicaSet" },
  { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler" },
  { apiVersion: "policy/v1", kind: "PodDisruptionBudget" },
  { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
  { apiVersion: "coordination.k8s.io/v1", kind: "Lease" },
  { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole" },
  { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding" },
  { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role" },
  { apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding" },
  { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration" },
  { apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingWebhookConfiguration" },
  { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" },
  { apiVersion: "gateway.networking.k8s.io/v1", kind: "GatewayClass" },
];

/** Every object of those kinds, as `Kind namespace/name`, sorted: equal before an install and after an uninstall. */
export async function inventory(cluster: Cluster): Promise<readonly string[]> {
  const names: string[] = [];
  for (const kind of KINDS) {
    for (const { metadata } of await cluster.list(kind)) {
      // the node's own heartbeat
      if (metadata.namespace === "kube-node-lease") continue;
      names.push(`${kind.kind} ${metadata.namespace ?? ""}/${metadata.name}`);
    }
  }
  return names.sort();
}
