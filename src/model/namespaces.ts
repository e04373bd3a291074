import type { KindName } from "../resources/kinds.ts";
import type { World } from "../resources/world.ts";

/** What a Namespace may be known by where it has no object of its own: workloads, accounts and services live in it. */
const INHABITANTS: readonly KindName[] = ["Pod", "Service", "ServiceAccount"];

/** Whether a namespace exists: its object is there, or something that lives in it. */
export function namespaceExists(world: Pick<World, "get" | "list">, name: string): boolean {
  return (
    world.get("Namespace", "", name) !== undefined || INHABITANTS.some((kind) => world.list(kind, name).length > 0)
  );
}
