// oxlint-disable typescript/no-unsafe-member-access, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-return, typescript/no-unsafe-argument -- any object, to be changed at will
import { base64, type Mesh } from "./parts.ts";

/** What the API server, controllers and the control plane add to what was installed. */
export function finish(mesh: Mesh, certificate: string): void {
  for (const object of mesh.objects.values()) {
    if (object.kind === "Deployment") {
      const replicas = object.metadata.name === "istiod" ? 2 : 1;
      object.spec.replicas = replicas;
      object.metadata.generation = 1;
      object.status = { observedGeneration: 1, availableReplicas: replicas, updatedReplicas: replicas, conditions: [] };
    }
    if (object.kind === "CustomResourceDefinition")
      object.status = {
        conditions: [
          { type: "Established", status: "True" },
          { type: "NamesAccepted", status: "True" },
        ],
        storedVersions: [object.spec.versions.at(-1).name],
      };
    for (const webhook of object.webhooks ?? []) {
      webhook.failurePolicy = "Fail";
      webhook.clientConfig.caBundle = base64(certificate);
    }
    if (object.kind === "Service" && object.spec.type === "LoadBalancer")
      object.status = { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } };
  }
}
