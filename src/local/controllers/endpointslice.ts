import { compact } from "../../base/compact.ts";
import type { KubeObject } from "../../resources/object.ts";
import { ids } from "../ids.ts";
import { hasLabels } from "../selector.ts";
import type { Endpoint, EndpointPort, EndpointSlice, Pod, Service, ServicePort } from "../shapes.ts";
import { type ControllerContext, controlledBy, defineController } from "./controller.ts";
import { isReady, shortHash } from "./pods.ts";

const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
const MANAGER = "endpointslice-controller.k8s.io";
const SERVICE_NAME = "kubernetes.io/service-name";

/** Lists the pods behind each Service with a selector, as EndpointSlices and, for older readers, as Endpoints. */
export const endpointSliceController = defineController({
  name: "endpointslice",
  summary: "Lists the pods behind each Service as EndpointSlices and Endpoints",
  watches: [
    { id: ids.services },
    { id: ids.pods, keys: (pod, context) => servicesOf(pod, context) },
    { id: ids.endpointSlices, keys: (slice) => sliceOwner(slice) },
  ],
  async reconcile({ namespace = "", name }, context) {
    const found = context.cache.get<Service>(ids.services, namespace, name);
    const service = found?.metadata.deletionTimestamp === undefined ? found : undefined;
    const existing = context.cache
      .list<EndpointSlice>(ids.endpointSlices, namespace)
      .filter((slice) => sliceOwner(slice).includes(`${namespace}/${name}`));
    const selected = service?.spec?.selector === undefined ? undefined : service;
    const wanted = selected === undefined ? [] : slicesFor(selected, context);
    for (const slice of wanted) await writeSlice(slice, existing, context);
    for (const slice of existing) {
      if (wanted.some((entry) => entry.metadata.name === slice.metadata.name)) continue;
      await context.client.delete(ids.endpointSlices, namespace, slice.metadata.name);
    }
    if (selected !== undefined) await writeEndpoints(selected, wanted, context);
    return undefined;
  },
});

function sliceOwner(slice: KubeObject): readonly string[] {
  const labels = slice.metadata.labels;
  return labels?.[MANAGED_BY] === MANAGER ? [`${slice.metadata.namespace ?? ""}/${labels[SERVICE_NAME] ?? ""}`] : [];
}

function servicesOf(pod: KubeObject, { cache }: ControllerContext): readonly string[] {
  return cache
    .list<Service>(ids.services, pod.metadata.namespace)
    .filter((service) => hasLabels(service.spec?.selector, pod.metadata.labels))
    .map((service) => `${service.metadata.namespace ?? ""}/${service.metadata.name}`);
}

/** One slice per set of port numbers: pods may give the same named port different numbers. */
function slicesFor(service: Service, context: ControllerContext): readonly EndpointSlice[] {
  const groups = new Map<string, { ports: readonly EndpointPort[]; endpoints: Endpoint[] }>();
  const pods = context.cache
    .list<Pod>(ids.pods, service.metadata.namespace)
    .filter((pod) => hasLabels(service.spec?.selector, pod.metadata.labels) && hasAddress(pod));
  for (const pod of [...pods].sort((a, b) => a.metadata.name.localeCompare(b.metadata.name))) {
    const ports = (service.spec?.ports ?? []).flatMap((port) => portOn(pod, port, context.cluster.realPort));
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    groups.set(key, group);
    group.endpoints.push(endpointOf(pod, service));
  }
  if (groups.size === 0) groups.set("", { ports: [], endpoints: [] });
  return [...groups].map(([key, group]) => sliceOf(service, key, group));
}

function hasAddress(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return pod.status?.podIP !== undefined && phase !== "Succeeded" && phase !== "Failed";
}

function portOn(pod: Pod, port: ServicePort, realPort: (port: number) => number): readonly EndpointPort[] {
  const target = port.targetPort ?? port.port;
  const number = typeof target === "number" ? target : namedPort(pod, target, port.protocol ?? "TCP");
  if (number === undefined) return [];
  const { appProtocol } = port;
  const rest = appProtocol === undefined ? {} : { appProtocol };
  return [{ name: port.name ?? "", port: realPort(number), protocol: port.protocol ?? "TCP", ...rest }];
}

function namedPort(pod: Pod, name: string, protocol: string): number | undefined {
  const sidecars = (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === "Always");
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars]) {
    const found = container.ports?.find((port) => port.name === name && (port.protocol ?? "TCP") === protocol);
    if (found !== undefined) return found.containerPort;
  }
  return undefined;
}

function endpointOf(pod: Pod, service: Service): Endpoint {
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const serving = isReady(pod);
  const ready = (serving && !terminating) || service.spec?.publishNotReadyAddresses === true;
  const { hostname, subdomain, nodeName } = pod.spec ?? {};
  const named = hostname !== undefined && subdomain === service.metadata.name;
  const { namespace = "", name, uid = "" } = pod.metadata;
  return {
    addresses: [pod.status?.podIP ?? ""],
    conditions: { ready, serving: serving || ready, terminating },
    ...compact({ hostname: named ? hostname : undefined, nodeName }),
    targetRef: { kind: "Pod", namespace, name, uid },
  };
}

function sliceOf(
  service: Service,
  key: string,
  { ports, endpoints }: { ports: readonly EndpointPort[]; endpoints: readonly Endpoint[] },
): EndpointSlice {
  const { name, namespace, labels } = service.metadata;
  const headless = service.spec?.clusterIP === "None" ? { "service.kubernetes.io/headless": "" } : {};
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: `${name}-${shortHash([service.metadata.uid, key]).slice(0, 5)}`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...labels, ...headless, [SERVICE_NAME]: name, [MANAGED_BY]: MANAGER },
      ownerReferences: controlledBy(service) as never,
    },
    addressType: "IPv4",
    endpoints,
    ports,
  };
}

async function writeSlice(
  slice: EndpointSlice,
  existing: readonly EndpointSlice[],
  { client }: ControllerContext,
): Promise<void> {
  const old = existing.find((entry) => entry.metadata.name === slice.metadata.name);
  if (old === undefined) {
    await client.create(ids.endpointSlices, slice);
    return;
  }
  const content = ({ endpoints, ports, metadata }: EndpointSlice): string =>
    JSON.stringify([endpoints ?? [], ports ?? [], metadata.labels]);
  if (content(old) === content(slice)) return;
  const { resourceVersion } = old.metadata;
  const metadata = { ...slice.metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  await client.update(ids.endpointSlices, { ...slice, metadata });
}

async function writeEndpoints(
  service: Service,
  slices: readonly EndpointSlice[],
  { client, cache }: ControllerContext,
): Promise<void> {
  const { name, namespace } = service.metadata;
  const subsets = slices.flatMap(({ endpoints = [], ports = [] }) => {
    if (endpoints.length === 0) return [];
    const addresses = (ready: boolean): unknown[] =>
      endpoints
        .filter((endpoint) => (endpoint.conditions?.ready === true) === ready)
        .map(({ addresses: [ip], nodeName, targetRef }) => ({ ip, nodeName, targetRef }));
    const up = addresses(true);
    const down = addresses(false);
    return [
      {
        ...(up.length > 0 ? { addresses: up } : {}),
        ...(down.length > 0 ? { notReadyAddresses: down } : {}),
        ports: ports.map((port) => ({ ...port, ...(port.name === "" ? { name: undefined } : {}) })),
      },
    ];
  });
  const old = cache.get<KubeObject & { subsets?: unknown }>(ids.endpoints, namespace, name);
  const plain = JSON.parse(JSON.stringify(subsets)) as unknown;
  if (old === undefined) {
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }), ...labelsOf(service) };
    await client.create(ids.endpoints, { apiVersion: "v1", kind: "Endpoints", metadata, subsets: plain });
  } else if (JSON.stringify(old.subsets ?? []) !== JSON.stringify(plain)) {
    await client.mergePatch(ids.endpoints, namespace, name, { subsets: plain });
  }
}

function labelsOf(service: Service): { labels?: Readonly<Record<string, string>> } {
  return service.metadata.labels === undefined ? {} : { labels: service.metadata.labels };
}
