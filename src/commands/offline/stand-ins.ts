import { createHash } from "node:crypto";
import { createModel, type Model } from "../../model/model.ts";
import { targetPortOf, TLS_MODE_LABEL } from "../../model/pods.ts";
import { labelsKey, namedSelector } from "../../model/selectors.ts";
import type { EndpointSlice, Pod, Service } from "../../resources/core.ts";
import { worldFromObjects } from "../../resources/files-world.ts";
import { createFixedWorld } from "../../resources/world-fixed.ts";
import type { KubeObject } from "../../resources/object.ts";
import type { World } from "../../resources/world.ts";

/** Addresses that are never real ones (RFC 2544): 198.18.0.0/16 stands for pods, 198.19.0.0/16 for Services. */
const POD_RANGE = "198.18";
const SERVICE_RANGE = "198.19";

/** What a mesh in files becomes when what a cluster would add stands in for itself. */
export interface Completed {
  readonly objects: readonly KubeObject[];
  /** Pods that were made up, as name.namespace, with the reason for people. */
  readonly notes: ReadonlyMap<string, string>;
}

/** Where the stand-ins go that files do not place. */
export interface StandInOptions {
  readonly rootNamespace: string;
  /** Namespace of a client when the files have no workload. */
  readonly namespace: string;
  /** Of several clusters those after the first: addresses are other ones in each. */
  readonly cluster?: string;
}

/**
 * Objects of files with what a cluster adds to them: pods of workload templates, addresses, the label that injection sets, and
 * EndpointSlices. Addresses come from names, so a new object moves no other's. What the files say themselves stays. With the
 * objects of a cluster below them, whatever the cluster has is there already.
 */
export function withStandIns(
  files: readonly KubeObject[],
  options: StandInOptions,
  cluster: readonly KubeObject[] = [],
): Completed {
  const world = worldFromObjects(files, cluster);
  const model = createModel(world, { rootNamespace: options.rootNamespace });
  // a cluster has its clients and gateways
  const added = cluster.length > 0 ? [] : synthetic(model, options);
  const pods = [...world.list("Pod"), ...added.map(({ pod }) => pod)];
  const podAddress = createAddresses(POD_RANGE, options.cluster);
  const running = pods.map((pod) => runningPod(pod, model, podAddress));
  const serviceAddress = createAddresses(SERVICE_RANGE, options.cluster);
  const services = world.list("Service").map((service) => withAddress(service, serviceAddress));
  const others = [...cluster.filter((object) => !leadsNowhere(object, world)), ...files].filter(
    ({ kind }) => kind !== "Pod" && kind !== "Service",
  );
  const whole = [...others, ...running, ...services];
  return {
    objects: [...whole, ...missingSlices(whole)],
    notes: new Map(added.map(({ pod, note }) => [`${pod.metadata.name}.${pod.metadata.namespace ?? ""}`, note])),
  };
}

/** An EndpointSlice to pods whose workload the files bring anew. */
function leadsNowhere({ kind, metadata, ...rest }: KubeObject, world: World): boolean {
  if (kind !== "EndpointSlice") return false;
  const { endpoints = [] } = rest as Pick<EndpointSlice, "endpoints">;
  return (endpoints ?? []).some(
    ({ targetRef }) =>
      targetRef?.kind === "Pod" &&
      world.get("Pod", targetRef.namespace ?? metadata.namespace ?? "", targetRef.name ?? "") === undefined,
  );
}

/** Gateways that nobody runs get a pod; a mesh without any sidecar gets a client. */
function synthetic(
  model: Model,
  { rootNamespace, namespace }: StandInOptions,
): readonly { readonly pod: Pod; readonly note: string }[] {
  const { world, workloads } = model;
  const selectors = new Map(
    world.list("Gateway").flatMap(({ spec }) => {
      const selector = namedSelector(spec?.selector);
      return selector === undefined || workloads.selected(undefined, selector).length > 0
        ? []
        : [[labelsKey(selector), selector] as const];
    }),
  );
  const gateways = [...selectors]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, labels]) => {
      const name = Object.values(labels).join("-").toLowerCase();
      const annotations = { "inject.istio.io/templates": "gateway" };
      const note = `No pod in the files has the labels that Gateways select (${labelsKey(labels)}): ${name}.${rootNamespace} stands for it.`;
      return { pod: madePod(name, rootNamespace, { labels, annotations }), note };
    });
  const hasSidecar = world.list("Pod").some((pod) => !workloads.isGateway(pod) && workloads.proxy(pod) !== "no");
  if (hasSidecar) return gateways;
  const note = `No workload in the files has a sidecar: client.${namespace} stands for one.`;
  return [...gateways, { pod: madePod("client", namespace, { labels: { app: "client" } }), note }];
}

function madePod(name: string, namespace: string, more: Partial<Pod["metadata"]>): Pod {
  const labels = { ...more.labels, "sidecar.istio.io/inject": "true" };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, ...more, labels },
    spec: { containers: [{ name: "app" }] },
  };
}

/** The pod as it would run: it has an address, is ready, and says whether injection gave it a proxy. */
function runningPod(pod: Pod, { workloads }: Model, addressOf: (name: string) => string): Pod {
  const { metadata, status } = pod;
  // nothing is known of its namespace: it is taken to be in the mesh, whose configuration is asked for
  const meshed = workloads.proxy(pod) !== "no";
  const labels = { ...(meshed ? { [TLS_MODE_LABEL]: "istio" } : {}), ...metadata.labels };
  const podIP = status?.podIP ?? addressOf(`${metadata.namespace ?? ""}/${metadata.name}`);
  const ready = [{ type: "Ready", status: "True" }];
  return {
    ...pod,
    metadata: { ...metadata, labels },
    status: { phase: "Running", conditions: ready, ...status, podIP },
  };
}

function withAddress(service: Service, addressOf: (name: string) => string): Service {
  const { spec, metadata } = service;
  if (spec === undefined || spec.clusterIP !== undefined || spec.clusterIPs !== undefined) return service;
  if (spec.type === "ExternalName") return service;
  return { ...service, spec: { ...spec, clusterIP: addressOf(`${metadata.namespace ?? ""}/${metadata.name}`) } };
}

/** Addresses of a /16 by name: the name's own place, or the next free one. */
function createAddresses(range: string, cluster = ""): (name: string) => string {
  const taken = new Set<number>();
  return (name) => {
    let place = createHash("sha256").update(`${cluster}${name}`).digest().readUInt16BE(0);
    // neither .0 nor .255, and never one twice
    while (taken.has(place) || place % 256 === 0 || place % 256 === 255) place = (place + 1) % 65_536;
    taken.add(place);
    return `${range}.${Math.floor(place / 256)}.${place % 256}`;
  };
}

/** What the endpoint controller would write for Services whose slices are not in the files. */
function missingSlices(objects: readonly KubeObject[]): readonly KubeObject[] {
  const world = createFixedWorld(objects);
  const { workloads, pods } = createModel(world);
  return world.list("Service").flatMap(({ metadata, spec }) => {
    const { name, namespace = "" } = metadata;
    const selector = namedSelector(spec?.selector);
    if (selector === undefined || spec?.type === "ExternalName") return [];
    if (world.by("endpointSlicesOfService", `${namespace}/${name}`).length > 0) return [];
    // a slice for each pod: a port that is given by name may have another number in each
    return workloads.selected(namespace, selector).map((pod): KubeObject => {
      const declared = pods.ports(namespace, pod.metadata.name);
      const ports = (spec?.ports ?? []).flatMap(({ name: portName, port, targetPort = port, protocol = "TCP" }) => {
        const number = targetPortOf(declared, targetPort);
        return number === undefined ? [] : [{ name: portName ?? "", port: number, protocol }];
      });
      return {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { name: `${name}-${pod.metadata.name}`, namespace, labels: { "kubernetes.io/service-name": name } },
        addressType: pod.status?.podIP?.includes(":") === true ? "IPv6" : "IPv4",
        ports,
        endpoints: [
          {
            addresses: [pod.status?.podIP ?? ""],
            conditions: { ready: true },
            targetRef: { kind: "Pod", name: pod.metadata.name, namespace },
          },
        ],
      };
    });
  });
}
