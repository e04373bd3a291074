import type { KindTypes } from "../resources/kinds.ts";
import type { ModelContext } from "./context.ts";
import { hostMatches } from "./host.ts";
import { byAge } from "./order.ts";
import { namedSelector } from "./selectors.ts";

/** The object, with its spec. */
export type Sidecar = KindTypes["Sidecar"];

/** Questions about Sidecar objects. */
export interface Sidecars {
  /**
   * The one that holds for workloads of a namespace that no other selects: the namespace's own without selector, else that of
   * the root namespace; of several the oldest. Undefined: everything that is exported is seen.
   */
  ofNamespace(namespace: string): Sidecar | undefined;
  /** Whether `egress` of a Sidecar lets workloads of `viewer` see a host (full) of `namespace`; without egress it hides nothing. */
  imports(sidecar: Sidecar, viewer: string, host: { readonly name: string; readonly namespace: string }): boolean;
}

export function createSidecars({ world, derivations, rootNamespace }: ModelContext): Sidecars {
  const wide = derivations.keyed("Sidecar of namespace", (namespace: string): Sidecar | undefined =>
    world
      .list("Sidecar", namespace)
      .filter(({ spec }) => namedSelector(spec?.workloadSelector?.labels) === undefined)
      .toSorted(byAge)
      .at(0),
  );
  return {
    ofNamespace: (namespace) => wide(namespace) ?? wide(rootNamespace),
    imports({ spec }, viewer, host) {
      const hosts = (spec?.egress ?? []).flatMap((listener) => listener.hosts ?? []);
      if (spec?.egress === undefined || spec.egress.length === 0) return true;
      return hosts.some((entry) => importsHost(entry, viewer, host));
    },
  };
}

/** `namespace/host`: the namespace `.` is the workload's own, `*` any, `~` none. */
function importsHost(
  entry: string,
  viewer: string,
  { name, namespace }: { readonly name: string; readonly namespace: string },
): boolean {
  const slash = entry.indexOf("/");
  const from = entry.slice(0, slash);
  if (from === "~") return false;
  const isFrom = from === "*" || (from === "." ? viewer : from) === namespace;
  return isFrom && hostMatches(entry.slice(slash + 1), name);
}
