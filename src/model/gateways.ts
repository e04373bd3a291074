import type { KindTypes } from "../resources/kinds.ts";
import type { ModelContext } from "./context.ts";
import { byAge } from "./order.ts";
import { type PodPort, type Pods, targetPortOf } from "./pods.ts";
import { namedSelector, selects } from "./selectors.ts";

/** The object, with its spec. */
export type Gateway = KindTypes["Gateway"];

type Labels = Readonly<Record<string, string>>;

/** Questions about Gateways. */
export interface Gateways {
  /** Those whose selector names a gateway pod with these labels, of any namespace, oldest first. */
  selecting(labels: Labels): readonly Gateway[];
  /**
   * The port a gateway pod listens on for a port of a server, which is one of the Services in front of it: that Service's
   * targetPort; without such a Service the number itself.
   */
  listenPort(pod: { readonly namespace: string; readonly labels: Labels }, serverPort: number): number;
}

export function createGateways({ world }: ModelContext, pods: Pods): Gateways {
  return {
    selecting: (labels) =>
      world
        .list("Gateway")
        .filter(({ spec }) => {
          const selector = namedSelector(spec?.selector);
          return selector !== undefined && selects(selector, labels);
        })
        .toSorted(byAge),
    listenPort({ namespace, labels }, serverPort) {
      for (const { spec } of world.list("Service", namespace).toSorted(byAge)) {
        const selector = namedSelector(spec?.selector);
        const port = spec?.ports?.find((candidate) => candidate.port === serverPort);
        if (selector === undefined || port === undefined || !selects(selector, labels)) continue;
        const target = port.targetPort ?? port.port;
        const resolved = typeof target === "number" ? target : targetPortOf(portsOfAny(namespace, labels), target);
        if (resolved !== undefined) return resolved;
      }
      return serverPort;
    },
  };
  /** Ports of the gateway's pods: all are made from one template. */
  function portsOfAny(namespace: string, labels: Labels): readonly PodPort[] {
    const pod = world.list("Pod", namespace).find(({ metadata }) => selects(labels, metadata.labels ?? {}));
    return pod === undefined ? [] : pods.ports(namespace, pod.metadata.name);
  }
}

/** The Gateway that a VirtualService of `namespace` names: `name` of its own namespace, or `namespace/name`. */
export function gatewayRef(
  reference: string,
  namespace: string,
): { readonly namespace: string; readonly name: string } {
  const slash = reference.indexOf("/");
  return { namespace: slash < 0 ? namespace : reference.slice(0, slash), name: reference.slice(slash + 1) };
}
