import type { KindName } from "../resources/kinds.ts";
import type { ModelContext } from "./context.ts";

/** What a namespace is also known by, where it has no object of its own: something lives in it. */
const INHABITANTS: readonly KindName[] = ["Pod", "Service", "ServiceAccount"];

/** Questions about namespaces. */
export interface Namespaces {
  /** Whether it is there: its object, or something that lives in it. */
  exists(name: string): boolean;
}

export function createNamespaces({ world }: ModelContext): Namespaces {
  return {
    exists: (name) =>
      world.get("Namespace", "", name) !== undefined || INHABITANTS.some((kind) => world.list(kind, name).length > 0),
  };
}
