import type { PeerLabels } from "../base/peer.ts";
import type { Endpoint } from "../ir/service.ts";
import type { Container, Pod } from "../resources/core.ts";
import type { ModelContext } from "./context.ts";
import { peerLabels } from "./workload.ts";

/** What the mesh reads of a pod, apart from its address. */
export interface PodFacts {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly peer: PeerLabels;
  readonly locality: Endpoint["locality"];
  /** "" before it is scheduled. */
  readonly node: string;
  /** Whether it says it has a proxy that takes mutual TLS. */
  readonly hasProxy: boolean;
  /** What its annotation asks: no new requests, or none at all. */
  readonly withheld?: Withheld;
}

/** A declared port; `name` is "" where none was given. */
export interface PodPort {
  readonly name: string;
  readonly number: number;
}

/** The container that injection adds; its ports are the proxy's own. */
export const PROXY_CONTAINER = "istio-proxy";

/** Label of pods (and WorkloadEntries) whose proxy takes mutual TLS; injection sets it to "istio". */
export const TLS_MODE_LABEL = "security.istio.io/tlsMode";

/** Annotation of a pod that takes it out of traffic while it runs: `drain` or `eject`. `meshctl drain` writes it. */
export const TRAFFIC_ANNOTATION = "traffic.meshctl.io/withhold";

/** drain: sessions that are bound to the pod go on, everything else goes elsewhere. eject: nothing is sent there. */
export type Withheld = "drain" | "eject";

function withheldFrom(value: string | undefined): { readonly withheld?: Withheld } {
  return value === "drain" || value === "eject" ? { withheld: value } : {};
}

/** Questions about pods. */
export interface Pods {
  facts(namespace: string, name: string): PodFacts | undefined;
  /** Ports that the application's containers declare, sorted by number; none for an unknown pod. */
  ports(namespace: string, name: string): readonly PodPort[];
  /** Name of the pod that owns an address; undefined when none or several do. */
  byIp(ip: string): { readonly namespace: string; readonly name: string } | undefined;
}

export function createPods({ world, derivations, clusterId }: ModelContext): Pods {
  const nodeLocality = derivations.keyed("locality of node", (name: string) => {
    const labels = world.get("Node", "", name)?.metadata.labels ?? {};
    return {
      region: labels["topology.kubernetes.io/region"] ?? "",
      zone: labels["topology.kubernetes.io/zone"] ?? "",
      subzone: labels["topology.istio.io/subzone"] ?? "",
    };
  });
  const facts = derivations.keyed("pod", (namespace: string, name: string): PodFacts | undefined => {
    const pod = world.get("Pod", namespace, name);
    if (pod === undefined) return undefined;
    const labels = pod.metadata.labels ?? {};
    return {
      name,
      namespace,
      labels,
      serviceAccount: pod.spec?.serviceAccountName ?? "default",
      peer: peerLabels(pod, clusterId),
      locality: parseLocality(labels["istio-locality"]) ?? nodeLocality(pod.spec?.nodeName ?? ""),
      node: pod.spec?.nodeName ?? "",
      hasProxy: labels[TLS_MODE_LABEL] === "istio",
      ...withheldFrom(pod.metadata.annotations?.[TRAFFIC_ANNOTATION]),
    };
  });
  const ports = derivations.keyed("ports of pod", (namespace: string, name: string): readonly PodPort[] => {
    const pod = world.get("Pod", namespace, name);
    const containers =
      pod === undefined ? [] : runningContainers(pod).filter((container) => container.name !== PROXY_CONTAINER);
    return containers
      .flatMap((container) => container.ports ?? [])
      .filter(({ protocol }) => protocol === undefined || protocol === "TCP")
      .map((port) => ({ name: port.name ?? "", number: port.containerPort }))
      .toSorted((a, b) => a.number - b.number);
  });
  return {
    facts,
    ports,
    byIp(ip) {
      const [pod, second] = world.by("podsByIp", ip);
      if (pod === undefined || second !== undefined) return undefined;
      return { namespace: pod.metadata.namespace ?? "", name: pod.metadata.name };
    },
  };
}

/** `region/zone/subzone`, or with dots as labels write it; undefined when there is none. */
export function parseLocality(text: string | undefined): Endpoint["locality"] | undefined {
  if (text === undefined || text === "") return undefined;
  const [region = "", zone = "", subzone = ""] = text.split(text.includes("/") ? "/" : ".");
  return { region, zone, subzone };
}

/** All containers that run as long as the pod does: the app's, and init containers that restart (native sidecars). */
function runningContainers(pod: Pod): readonly Container[] {
  const natives = pod.spec?.initContainers?.filter((container) => container["restartPolicy"] === "Always") ?? [];
  return [...(pod.spec?.containers ?? []), ...natives];
}

/** A port by number (as Services may also write it as text) or by the name a container gave it. */
export function targetPortOf(ports: readonly PodPort[], target: number | string): number | undefined {
  if (typeof target === "number") return target;
  return /^\d+$/.test(target) ? Number(target) : ports.find(({ name }) => name === target)?.number;
}
