import type { Service } from "../resources/core.ts";
import type { ModelContext } from "./context.ts";
import { byText } from "./order.ts";
import { namedSelector, selects } from "./selectors.ts";

type Labels = Readonly<Record<string, string>>;

/** Which Services lead to pods. */
export interface ServiceSelection {
  /** Services of a namespace whose selector names pods with these labels, sorted by name. */
  selecting(namespace: string, labels: Labels): readonly Service[];
}

/** Services are listed under one pair of their selector, so that a pod asks only those that share a label with it. */
export function createServiceSelection({ world, derivations }: ModelContext): ServiceSelection {
  const byPair = derivations.keyed("services by selector", (namespace: string) => {
    const index = new Map<string, Service[]>();
    for (const service of world.list("Service", namespace)) {
      const [pair] = Object.entries(namedSelector(service.spec?.selector) ?? {}).toSorted(([a], [b]) => byText(a, b));
      if (pair === undefined) continue;
      const key = pair.join("=");
      index.set(key, [...(index.get(key) ?? []), service]);
    }
    return index as ReadonlyMap<string, readonly Service[]>;
  });
  return {
    selecting(namespace, labels) {
      const index = byPair(namespace);
      return Object.entries(labels)
        .flatMap((pair) => index.get(pair.join("=")) ?? [])
        .filter(({ spec }) => selects(spec?.selector ?? {}, labels))
        .toSorted((a, b) => byText(a.metadata.name, b.metadata.name));
    },
  };
}
