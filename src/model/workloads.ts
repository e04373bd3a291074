import type { MeshService, ServicePort } from "../ir/service.ts";
import type { Pod, Service } from "../resources/core.ts";
import { type KubeObject, refOf } from "../resources/object.ts";
import type { ModelContext } from "./context.ts";
import { wishedInjection } from "./injection-wish.ts";
import { type PodPort, type Pods, PROXY_CONTAINER, targetPortOf, TLS_MODE_LABEL } from "./pods.ts";
import { labelsKey, namedSelector, selects } from "./selectors.ts";
import type { Services } from "./services.ts";

type Labels = Readonly<Record<string, string>>;

/** A port of a Service that leads to a pod. */
export interface ServedPort extends ServicePort {
  /** Full name of the Service. */
  readonly host: string;
  readonly service: { readonly namespace: string; readonly name: string };
  /** Port of the container; undefined when the Service names one that the pod does not have. */
  readonly target: number | undefined;
}

/** What a policy says about whom it is for. */
export interface PolicyReach {
  readonly selector?: { readonly matchLabels?: Labels };
  readonly targetRef?: unknown;
  readonly targetRefs?: readonly unknown[];
}

/** Questions about pods as labels select them. */
export interface Workloads {
  /** Pods with all labels of the selector, of one namespace or (undefined) of all, sorted; an empty selector selects all. */
  selected(namespace: string | undefined, selector: Labels): readonly Pod[];
  /**
   * Pods that a policy is for: of its namespace, of all when it stands in the root namespace, of those the selected ones. One
   * with targetRefs is for what it names, and here for nobody.
   */
  ofPolicy(policy: KubeObject<PolicyReach>): readonly Pod[];
  /** Ports of all Services that lead to a pod, by Service. */
  servedPorts(namespace: string, name: string): readonly ServedPort[];
  /** Namespaces that have pods, sorted. */
  namespaces(): readonly string[];
  /** Whether a pod is a gateway: injected as one, or with nothing but a proxy, or chosen by a Gateway. PeerAuthentication is not for it. */
  isGateway(pod: Pod): boolean;
  /**
   * Whether a pod has a proxy: it is there, or injection will add it. A pod that runs says it itself; one from a file is judged
   * by labels, and "unknown" is the answer when its Namespace is not known and it says nothing.
   */
  proxy(pod: Pod): "yes" | "no" | "unknown";
}

export function createWorkloads(context: ModelContext, pods: Pods, services: Services): Workloads {
  const { world, derivations, rootNamespace } = context;
  const { selected, namespaces } = createPodSelection(context);
  const served = derivations.keyed("served ports", (namespace: string): ReadonlyMap<string, readonly ServedPort[]> => {
    const byPod = new Map<string, ServedPort[]>();
    for (const object of world.list("Service", namespace)) {
      const selector = namedSelector(object.spec?.selector);
      const service = services.kubernetes(namespace, object.metadata.name);
      if (selector === undefined || service === undefined) continue;
      for (const { metadata } of selected(namespace, selector)) {
        const ports = portsTo(object, service, pods.ports(namespace, metadata.name));
        const listed = byPod.get(metadata.name);
        if (listed === undefined) byPod.set(metadata.name, [...ports]);
        else listed.push(...ports);
      }
    }
    return byPod;
  });
  const gatewaySelectors = derivations.keyed("gateway selectors", (): readonly Labels[] => {
    const distinct = new Map<string, Labels>();
    for (const { spec } of world.list("Gateway")) {
      const selector = namedSelector(spec?.selector);
      if (selector !== undefined) distinct.set(labelsKey(selector), selector);
    }
    return [...distinct.values()];
  });
  const chosenByGateways = derivations.keyed("gateway pods", (namespace: string): ReadonlySet<string> => {
    const chosen = gatewaySelectors().flatMap((selector) => selected(namespace, selector));
    return new Set(chosen.map(({ metadata }) => metadata.name));
  });
  return {
    selected,
    namespaces,
    isGateway: (pod) => isMadeAsGateway(pod) || chosenByGateways(refOf(pod).namespace).has(pod.metadata.name),
    ofPolicy(policy) {
      const { selector, targetRef, targetRefs = [] } = policy.spec ?? {};
      if (targetRef !== undefined || targetRefs.length > 0) return [];
      const { namespace } = refOf(policy);
      return selected(namespace === rootNamespace ? undefined : namespace, selector?.matchLabels ?? {});
    },
    servedPorts: (namespace, name) => served(namespace).get(name) ?? [],
    proxy: (pod) => proxyOf(pod, world.get("Namespace", "", refOf(pod).namespace)),
  };
}

/** Pods by labels; each namespace's are listed under every pair of their labels. */
function createPodSelection({ world, derivations }: ModelContext): Pick<Workloads, "selected" | "namespaces"> {
  const byLabel = derivations.keyed("pods by label", (namespace: string): ReadonlyMap<string, readonly Pod[]> => {
    const index = new Map<string, Pod[]>();
    for (const pod of world.list("Pod", namespace))
      for (const [key, value] of Object.entries(pod.metadata.labels ?? {})) {
        const listed = index.get(`${key}=${value}`);
        if (listed === undefined) index.set(`${key}=${value}`, [pod]);
        else listed.push(pod);
      }
    return index;
  });
  const namespaces = derivations.keyed("namespaces of pods", (): readonly string[] => [
    ...new Set(world.list("Pod").map((pod) => refOf(pod).namespace)),
  ]);
  const inNamespace = (namespace: string, selector: Labels): readonly Pod[] => {
    const keys = Object.keys(selector);
    if (keys.length === 0) return world.list("Pod", namespace);
    const index = byLabel(namespace);
    let shortest: readonly Pod[] | undefined;
    for (const key of keys) {
      const listed = index.get(`${key}=${selector[key] ?? ""}`) ?? [];
      if (shortest === undefined || listed.length < shortest.length) shortest = listed;
    }
    const found = shortest ?? [];
    return keys.length === 1 ? found : found.filter(({ metadata }) => selects(selector, metadata.labels ?? {}));
  };
  return {
    namespaces,
    selected: (namespace, selector) =>
      namespace === undefined
        ? namespaces().flatMap((each) => inNamespace(each, selector))
        : inNamespace(namespace, selector),
  };
}

/** Ports of a Service, with the container's number where a pod with these ports has it. */
function portsTo(
  { spec, metadata }: Service,
  service: MeshService,
  declared: readonly PodPort[],
): readonly ServedPort[] {
  return service.ports.map((port, index) => ({
    ...port,
    host: service.hostname,
    service: { namespace: service.namespace, name: metadata.name },
    target: targetPortOf(declared, spec?.ports?.[index]?.targetPort ?? port.number),
  }));
}

/** Whether a pod says itself that it is a gateway: by its injection template, or because there is nothing but a proxy in it. */
export function isMadeAsGateway({ metadata, spec }: Pod): boolean {
  const templates = (metadata.annotations?.["inject.istio.io/templates"] ?? "").split(",").map((name) => name.trim());
  const containers = spec?.containers ?? [];
  return (
    templates.includes("gateway") || (containers.length > 0 && containers.every(({ name }) => name === PROXY_CONTAINER))
  );
}

/** `namespace` is undefined when its object is not known. */
function proxyOf(pod: Pod, namespace: KubeObject | undefined): ReturnType<Workloads["proxy"]> {
  if (hasProxy(pod)) return "yes";
  if (isThere(pod)) return "no";
  const { outcome } = wishedInjection(pod, namespace);
  return outcome === "injected" ? "yes" : outcome === "unknown" ? "unknown" : "no";
}

/** Pods of files have no status. */
function isThere({ status }: Pod): boolean {
  return status?.phase !== undefined;
}

function hasProxy({ metadata, spec }: Pod): boolean {
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  return metadata.labels?.[TLS_MODE_LABEL] === "istio" || containers.some(({ name }) => name === PROXY_CONTAINER);
}
