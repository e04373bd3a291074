import type { ServicePort } from "../ir/service.ts";
import type { Pod } from "../resources/core.ts";
import type { KubeObject } from "../resources/object.ts";
import type { ModelContext } from "./context.ts";
import { callingWebhook, injectionWish, neverInjected } from "./injection.ts";
import { type Pods, PROXY_CONTAINER, targetPortOf, TLS_MODE_LABEL } from "./pods.ts";
import { namedSelector, selects } from "./selectors.ts";
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
  const byLabel = derivations.keyed("pods by label", (namespace: string): ReadonlyMap<string, readonly Pod[]> => {
    const index = new Map<string, Pod[]>();
    for (const pod of world.list("Pod", namespace))
      for (const [key, value] of Object.entries(pod.metadata.labels ?? {})) {
        const pair = `${key}=${value}`;
        const listed = index.get(pair);
        if (listed === undefined) index.set(pair, [pod]);
        else listed.push(pod);
      }
    return index;
  });
  const namespaces = derivations.keyed("namespaces of pods", (): readonly string[] => [
    ...new Set(world.list("Pod").map(({ metadata }) => metadata.namespace ?? "")),
  ]);
  const inNamespace = (namespace: string, selector: Labels): readonly Pod[] => {
    const pairs = Object.entries(selector);
    if (pairs.length === 0) return world.list("Pod", namespace);
    const index = byLabel(namespace);
    const lists = pairs.map(([key, value]) => index.get(`${key}=${value}`) ?? []);
    const shortest = lists.reduce((a, b) => (b.length < a.length ? b : a));
    return pairs.length === 1 ? shortest : shortest.filter(({ metadata }) => selects(selector, metadata.labels ?? {}));
  };
  const selected: Workloads["selected"] = (namespace, selector) =>
    namespace === undefined
      ? namespaces().flatMap((each) => inNamespace(each, selector))
      : inNamespace(namespace, selector);
  const served = derivations.keyed("served ports", (namespace: string): ReadonlyMap<string, readonly ServedPort[]> => {
    const byPod = new Map<string, ServedPort[]>();
    for (const { spec, metadata } of world.list("Service", namespace)) {
      const selector = namedSelector(spec?.selector);
      const service = services.kubernetes(namespace, metadata.name);
      if (selector === undefined || service === undefined) continue;
      for (const pod of inNamespace(namespace, selector)) {
        const declared = pods.ports(namespace, pod.metadata.name);
        const ports = service.ports.map((port, index) => ({
          ...port,
          host: service.hostname,
          service: { namespace, name: metadata.name },
          target: targetPortOf(declared, spec?.ports?.[index]?.targetPort ?? port.number),
        }));
        const listed = byPod.get(pod.metadata.name);
        if (listed === undefined) byPod.set(pod.metadata.name, ports);
        else listed.push(...ports);
      }
    }
    return byPod;
  });
  const gatewaySelectors = derivations.keyed("gateway selectors", (): readonly Labels[] => {
    const selectors = world.list("Gateway").flatMap(({ spec }): readonly Labels[] => {
      const selector = namedSelector(spec?.selector);
      return selector === undefined ? [] : [selector];
    });
    return [
      ...new Map(selectors.map((selector) => [JSON.stringify(Object.entries(selector).toSorted()), selector])).values(),
    ];
  });
  const gatewayPods = derivations.keyed("gateway pods", (namespace: string): ReadonlySet<string> => {
    const made = world.list("Pod", namespace).filter(isMadeAsGateway);
    const chosen = gatewaySelectors().flatMap((selector) => inNamespace(namespace, selector));
    return new Set([...made, ...chosen].map(({ metadata }) => metadata.name));
  });
  const proxies = derivations.keyed("proxies", (namespace: string) => {
    const labels = world.get("Namespace", "", namespace)?.metadata;
    return new Map(
      world.list("Pod", namespace).map((pod) => [pod.metadata.name, proxyOf(pod, labels && (labels.labels ?? {}))]),
    ) as ReadonlyMap<string, ReturnType<Workloads["proxy"]>>;
  });
  return {
    selected,
    namespaces,
    isGateway: ({ metadata }) => gatewayPods(metadata.namespace ?? "").has(metadata.name),
    ofPolicy({ metadata, spec }) {
      if (spec?.targetRef !== undefined || (spec?.targetRefs?.length ?? 0) > 0) return [];
      const { namespace = "" } = metadata;
      return selected(namespace === rootNamespace ? undefined : namespace, spec?.selector?.matchLabels ?? {});
    },
    servedPorts: (namespace, name) => served(namespace).get(name) ?? [],
    proxy: ({ metadata }) => proxies(metadata.namespace ?? "").get(metadata.name) ?? "unknown",
  };
}

function isMadeAsGateway({ metadata, spec }: Pod): boolean {
  const templates = (metadata.annotations?.["inject.istio.io/templates"] ?? "").split(",").map((name) => name.trim());
  const containers = spec?.containers ?? [];
  return (
    templates.includes("gateway") || (containers.length > 0 && containers.every(({ name }) => name === PROXY_CONTAINER))
  );
}

/** `ofNamespace` is undefined for a namespace whose object is not known. */
function proxyOf(pod: Pod, ofNamespace: Labels | undefined): ReturnType<Workloads["proxy"]> {
  const { metadata, spec, status } = pod;
  const labels = metadata.labels ?? {};
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  if (labels[TLS_MODE_LABEL] === "istio" || containers.some(({ name }) => name === PROXY_CONTAINER)) return "yes";
  if (status?.phase !== undefined) return "no";
  const never = neverInjected(spec ?? {}, metadata.namespace ?? "");
  if (never !== undefined || injectionWish(metadata).asked === "false") return "no";
  // Which control planes there are is another question: any revision that is asked for is taken to be one.
  const revision = ofNamespace?.["istio.io/rev"] ?? labels["istio.io/rev"];
  const asked = (name: string): boolean => callingWebhook(ofNamespace ?? {}, labels, name).inject;
  if (asked(revision ?? "default") || asked("default")) return "yes";
  return ofNamespace === undefined ? "unknown" : "no";
}
