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
  listenPort(pod: GatewayPod, serverPort: number): number;
  /** The UDP port a gateway pod listens on for a server's port; undefined where no Service in front of it has that port by UDP. */
  udpPort(pod: GatewayPod, serverPort: number): number | undefined;
}

/** Where a gateway pod runs, and its labels. */
interface GatewayPod {
  readonly namespace: string;
  readonly labels: Labels;
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
    listenPort: (pod, serverPort) => podPort(pod, serverPort, (protocol) => protocol !== "UDP") ?? serverPort,
    udpPort: (pod, serverPort) => podPort(pod, serverPort, (protocol) => protocol === "UDP"),
  };
  /** The pod's port behind a port of the Services in front of it. */
  function podPort(
    { namespace, labels }: GatewayPod,
    serverPort: number,
    fits: (protocol: string) => boolean,
  ): number | undefined {
    for (const { spec } of world.list("Service", namespace).toSorted(byAge)) {
      const selector = namedSelector(spec?.selector);
      const port = spec?.ports?.find(({ port: number, protocol = "TCP" }) => number === serverPort && fits(protocol));
      if (selector === undefined || port === undefined || !selects(selector, labels)) continue;
      const target = port.targetPort ?? port.port;
      const resolved = typeof target === "number" ? target : targetPortOf(portsOfAny(namespace, labels), target);
      if (resolved !== undefined) return resolved;
    }
    return undefined;
  }
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
