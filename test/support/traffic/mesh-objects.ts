import type { KubeObject } from "../../../src/resources/object.ts";
import type { TrafficCase } from "./case.ts";

/** Where everybody of the test mesh stands; the prefixes are the first two numbers of loopback addresses. */
export interface Places {
  readonly client: string;
  readonly v1: string;
  readonly v2: string;
  readonly v3: string;
  readonly gateway: string;
  readonly guard: string;
  readonly walled: string;
}

export type Name = keyof Places;

/** Namespace of the clients (client, gateway); each case has one of its own for its services and rules. */
export const NAMESPACE = "traffic";
/** Namespace of the server whose callers policies judge. */
export const GUARDED = "guarded";
/** Namespace of the workload under a Sidecar. */
export const WALLED = "walled";
/** Namespace of the servers. Cases' services are not exported to it: only who calls is to pay for what can be called. */
export const SERVERS = "servers";

type Loose = Readonly<Record<string, unknown>>;

interface Workload {
  readonly labels: Readonly<Record<string, string>>;
  readonly locality: string;
  readonly sidecar: boolean;
}

/** v3 has no sidecar; each stands in another place: v1 beside the client, v2 in another zone, v3 in another region. */
export const WORKLOADS: Readonly<Record<Name, Workload>> = {
  client: { labels: { app: "client", tier: "front" }, locality: "west.a.1", sidecar: true },
  v1: { labels: { app: "echo", version: "v1", sidecar: "yes" }, locality: "west.a.1", sidecar: true },
  v2: { labels: { app: "echo", version: "v2", sidecar: "yes" }, locality: "west.b.1", sidecar: true },
  v3: { labels: { app: "echo", version: "v3" }, locality: "east.a.1", sidecar: false },
  // like v1, and nobody else is: policies of cases select it, each rule for hosts of its case
  guard: { labels: { app: "guard" }, locality: "west.a.1", sidecar: true },
  // calls and is called under a Sidecar of its own
  walled: { labels: { app: "walled" }, locality: "west.a.1", sidecar: true },
  gateway: { labels: { app: "gateway", istio: "gateway" }, locality: "west.a.1", sidecar: true },
};

/** Ports of the applications, by what the mesh is told they speak. */
export const PORTS = {
  http: 8080,
  any: 8081,
  grpc: 8082,
  tcp: 9000,
  greeting: 9001,
  secure: 9443,
  passed: 9444,
} as const;

/** Service port -> name and target: those of a service that a case does not write itself. */
const SERVICE_PORTS = [
  { name: "http", port: 80, targetPort: PORTS.http },
  { name: "any", port: 81, targetPort: PORTS.any },
  { name: "grpc", port: 82, targetPort: PORTS.grpc },
  { name: "tcp-echo", port: 90, targetPort: PORTS.tcp },
  { name: "tcp-greeting", port: 91, targetPort: PORTS.greeting },
  { name: "http-secure", port: 92, targetPort: PORTS.secure },
  { name: "tls-passed", port: 93, targetPort: PORTS.passed },
];

/** The workloads, and the services by which their sidecars know what their ports speak. */
export function meshObjects(places: Places): readonly KubeObject[] {
  const pods = (Object.keys(WORKLOADS) as Name[]).map((name) => pod(name, places[name]));
  const inbound = service(SERVERS, "inbound", { selector: { app: "echo" }, clusterIP: "None", ports: SERVICE_PORTS });
  const guarded = service(GUARDED, "inbound", { selector: { app: "guard" }, clusterIP: "None", ports: SERVICE_PORTS });
  const namespaces = [NAMESPACE, SERVERS, GUARDED, WALLED].map((name) => object("v1 Namespace", "", name, {}));
  return [...namespaces, ...pods, inbound, guarded];
}

/** A case's objects in its namespace, its services (one called echo when it has none) with addresses and endpoints. */
export function caseObjects(item: TrafficCase, index: number, places: Places): readonly KubeObject[] {
  const { namespace } = item;
  const objects = withPlaces(item.objects, places);
  const ports = portsOf(item);
  const placed = objects.map((one) => ({ ...one, metadata: { namespace, ...one.metadata } }) as KubeObject);
  const own = placed.filter(({ kind }) => kind === "Service");
  const written = own.length > 0 ? own : [service(namespace, "echo", {})];
  const services = written.map((one, at) => completed(one, `10.96.${index + 1}.${at + 1}`, ports));
  const others = placed.filter(({ kind }) => kind !== "Service");
  const slices = services.flatMap((one) => sliceOf(one, places));
  return [object("v1 Namespace", "", namespace, {}), ...services, ...slices, ...others];
}

/** `$v1`, `$v2`, `$v3`, `$walled` in a case's objects stand for the workloads' addresses. */
function withPlaces(objects: readonly KubeObject[], places: Places): readonly KubeObject[] {
  const text = JSON.stringify(objects).replaceAll(/\$(v\d|walled)\b/g, (_, name: Name) => `${places[name]}.0.1`);
  return JSON.parse(text) as readonly KubeObject[];
}

/** Of the ports a service has by default those that the case speaks of: each is a listener and clusters of every client. */
function portsOf({ requests, objects }: TrafficCase): typeof SERVICE_PORTS {
  const asked = requests.map(({ port = 80 }) => port);
  const written = [...JSON.stringify(objects).matchAll(/"(?:number|port)":(\d+)/g)].map(([, number]) => Number(number));
  const known = new Set([...asked, ...written]);
  return SERVICE_PORTS.filter(({ port }) => known.has(port));
}

function completed(item: KubeObject, clusterIP: string, ports: typeof SERVICE_PORTS): KubeObject {
  const spec = item.spec as Loose | undefined;
  const annotations = { "networking.istio.io/exportTo": NAMESPACE, ...item.metadata.annotations };
  const defaults = { clusterIP, selector: { app: "echo", version: "v1" }, ports };
  return { ...item, metadata: { ...item.metadata, annotations }, spec: { ...defaults, ...spec } } as KubeObject;
}

interface ServiceSpec {
  readonly type?: string;
  readonly selector?: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly name?: string; readonly port: number; readonly targetPort?: number }[];
}

/** All workloads of the mesh that the selector takes, whatever their namespace. */
function sliceOf({ metadata, spec }: KubeObject, places: Places): readonly KubeObject[] {
  const { type, selector = {}, ports } = spec as ServiceSpec;
  if (type === "ExternalName") return [];
  const selected = (Object.keys(WORKLOADS) as Name[]).filter((name) =>
    Object.entries(selector).every(([key, value]) => WORKLOADS[name].labels[key] === value),
  );
  const slice = object("discovery.k8s.io/v1 EndpointSlice", metadata.namespace ?? "", `${metadata.name}-1`, {
    addressType: "IPv4",
    ports: ports.map(({ name = "", port, targetPort }) => ({ name, port: targetPort ?? port })),
    endpoints: selected.map((name) => ({
      addresses: [`${places[name]}.0.1`],
      conditions: { ready: true },
      targetRef: { kind: "Pod", name, namespace: namespaceOf(name) },
    })),
  });
  const labels = { "kubernetes.io/service-name": metadata.name };
  return [{ ...slice, metadata: { ...slice.metadata, labels } }];
}

/** Where a workload is. */
export function namespaceOf(name: Name): string {
  if (name === "guard") return GUARDED;
  if (name === "walled") return WALLED;
  return WORKLOADS[name].labels["app"] === "echo" ? SERVERS : NAMESPACE;
}

function pod(name: Name, prefix: string): KubeObject {
  const { labels, locality, sidecar } = WORKLOADS[name];
  // a gateway's ports take what its Gateways say, not the mesh's TLS by itself
  const tls = sidecar && name !== "gateway" ? { "security.istio.io/tlsMode": "istio" } : {};
  const made = object("v1 Pod", namespaceOf(name), name, {
    // the client has the node to itself but for v1
    spec: {
      serviceAccountName: name,
      nodeName: name === "client" || name === "v1" ? "near" : "far",
      containers: [{ name: "app" }],
    },
    status: { podIP: `${prefix}.0.1`, phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  });
  // so that a case can give it replicas
  const owner = { apiVersion: "apps/v1", kind: "StatefulSet", name, uid: "owner", controller: true };
  const ownerReferences = name === "client" ? [owner] : [];
  const metadata = {
    ...made.metadata,
    ownerReferences,
    uid: `uid-${name}`,
    labels: { ...labels, ...tls, "istio-locality": locality },
  };
  return { ...made, metadata };
}

function service(namespace: string, name: string, spec: Loose): KubeObject {
  return object("v1 Service", namespace, name, { spec });
}

function object(type: string, namespace: string, name: string, rest: Loose): KubeObject {
  const [apiVersion, kind] = type.split(" ");
  return { apiVersion, kind, metadata: namespace === "" ? { name } : { name, namespace }, ...rest } as KubeObject;
}
