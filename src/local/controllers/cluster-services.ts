import type { KubeObject } from "../../resources/object.ts";
import { ids } from "../ids.ts";
import type { EndpointSlice, Service } from "../shapes.ts";
import { type ControllerContext, defineController } from "./controller.ts";

/** The Service `kubernetes` in `default`, by which pods may find the API endpoint. */
export const kubernetesServiceController = defineController({
  name: "kubernetes-service",
  summary: "Keeps the Service kubernetes and the EndpointSlice behind it",
  watches: [
    { id: ids.namespaces, keys: (object) => (object.metadata.name === "default" ? ["default/kubernetes"] : []) },
    { id: ids.services, keys: isKubernetes },
    { id: ids.endpointSlices, keys: isKubernetes },
  ],
  async reconcile({ namespace = "default", name }, { cache, client, cluster }) {
    if (cache.get(ids.namespaces, undefined, namespace) === undefined) return undefined;
    const labels = { component: "apiserver", provider: "kubernetes" };
    const { host, port } = cluster.apiAddress;
    if (cache.get(ids.services, namespace, name) === undefined) {
      const ports = [{ name: "https", port: 443, protocol: "TCP", targetPort: port }];
      const metadata = { name, namespace, labels };
      await client.create(ids.services, {
        apiVersion: "v1",
        kind: "Service",
        metadata,
        spec: { type: "ClusterIP", ports },
      });
    }
    if (cache.get<EndpointSlice>(ids.endpointSlices, namespace, name) === undefined) {
      await client.create(ids.endpointSlices, {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { name, namespace, labels: { "kubernetes.io/service-name": name } },
        addressType: "IPv4",
        endpoints: [{ addresses: [host], conditions: { ready: true } }],
        ports: [{ name: "https", port, protocol: "TCP" }],
      });
    }
    return undefined;
  },
});

function isKubernetes(object: KubeObject): readonly string[] {
  const { namespace, name } = object.metadata;
  return namespace === "default" && name === "kubernetes" ? ["default/kubernetes"] : [];
}

/** Which annotation tells the ports that listen for a load balancer where they could not be the wanted ones. */
export const HOST_PORTS = "local.meshctl.io/host-ports";

/** Writes the address at which the machine reaches a Service of type LoadBalancer. */
export const loadBalancerController = defineController({
  name: "load-balancer",
  summary: "Writes the address at which the machine reaches a Service of type LoadBalancer",
  watches: [{ id: ids.services }],
  async reconcile({ namespace, name }, context) {
    const service = context.cache.get<Service>(ids.services, namespace, name);
    if (service?.spec?.type !== "LoadBalancer" || service.metadata.deletionTimestamp !== undefined) return undefined;
    const address = await context.cluster.loadBalancerAddress(service);
    if (address === undefined) return { afterMs: 200 };
    const mapped = Object.entries(address.mapped).map(([port, real]) => `${port}=${real}`);
    await writeHostPorts(service, mapped.join(","), context);
    await writeIngress(service, { ip: address.ip, mapped }, context);
    return undefined;
  },
});

async function writeHostPorts(service: Service, text: string, { client }: ControllerContext): Promise<void> {
  const { namespace, name, annotations } = service.metadata;
  if (text === (annotations?.[HOST_PORTS] ?? "")) return;
  const change = { [HOST_PORTS]: text === "" ? null : text };
  await client.mergePatch(ids.services, namespace, name, { metadata: { annotations: change } });
}

async function writeIngress(
  service: Service,
  { ip, mapped }: { ip: string; mapped: readonly string[] },
  { client, events }: ControllerContext,
): Promise<void> {
  if (service.status?.loadBalancer?.ingress?.[0]?.ip === ip) return;
  const { namespace, name } = service.metadata;
  const status = { loadBalancer: { ingress: [{ ip, ipMode: "VIP" }] } };
  await client.mergePatch(ids.services, namespace, name, { status }, "status");
  const ports = mapped.length === 0 ? "" : `, ports ${mapped.join(" ")}`;
  events.normal(service, "EnsuredLoadBalancer", `Reachable from this machine at ${ip}${ports}`);
}
