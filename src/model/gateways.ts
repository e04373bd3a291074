import type { KindTypes } from "../resources/kinds.ts";
import type { ModelContext } from "./context.ts";
import { byAge } from "./order.ts";
import { podPort } from "./pods.ts";
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
  listenPort(
    pod: { readonly namespace: string; readonly name: string; readonly labels: Labels },
    serverPort: number,
  ): number;
}

export function createGateways({ world }: ModelContext): Gateways {
  return {
    selecting: (labels) =>
      world
        .list("Gateway")
        .filter(({ spec }) => {
          const selector = namedSelector(spec?.selector);
          return selector !== undefined && selects(selector, labels);
        })
        .toSorted(byAge),
    listenPort({ namespace, name, labels }, serverPort) {
      for (const { spec } of world.list("Service", namespace).toSorted(byAge)) {
        const selector = namedSelector(spec?.selector);
        const port = spec?.ports?.find((candidate) => candidate.port === serverPort);
        if (selector === undefined || port === undefined || !selects(selector, labels)) continue;
        const target = port.targetPort ?? port.port;
        const resolved = podPort(typeof target === "number" ? undefined : world.get("Pod", namespace, name), target);
        if (resolved !== undefined) return resolved;
      }
      return serverPort;
    },
  };
}
