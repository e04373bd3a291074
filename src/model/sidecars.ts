import type { KindTypes } from "../resources/kinds.ts";
import type { ModelContext } from "./context.ts";
import { hostMatches } from "./host.ts";
import { byAge } from "./order.ts";
import { namedSelector, selects } from "./selectors.ts";

/** The object, with its spec. */
export type Sidecar = KindTypes["Sidecar"];
type Spec = NonNullable<Sidecar["spec"]>;
/** What workloads see on one port, or on all. */
export type SidecarEgress = NonNullable<Spec["egress"]>[number];
/** A port that workloads take traffic at. */
export type SidecarIngress = NonNullable<Spec["ingress"]>[number];

/** A host (full) and whose it is. */
interface OwnedHost {
  readonly name: string;
  readonly namespace: string;
}

/** Questions about Sidecar objects. */
export interface Sidecars {
  /**
   * The one that holds for workloads of a namespace that no other selects: the namespace's own without selector, else that of
   * the root namespace; of several the oldest. Undefined: everything that is exported is seen.
   */
  ofNamespace(namespace: string): Sidecar | undefined;
  /** The one that holds for a workload: the oldest that selects it, else that of its namespace. */
  of(workload: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> }): Sidecar | undefined;
  /** Whether `egress` of a Sidecar lets workloads of `viewer` see a host of `namespace`; without egress it hides nothing. */
  imports(sidecar: Sidecar, viewer: string, host: OwnedHost): boolean;
  /** Whether it lets them see a rule of `namespace` about these hosts (full, perhaps wildcards): one that has one in common. */
  importsRule(
    sidecar: Sidecar,
    viewer: string,
    rule: { readonly hosts: readonly string[]; readonly namespace: string },
  ): boolean;
}

export function createSidecars({ world, derivations, rootNamespace }: ModelContext): Sidecars {
  const wide = derivations.keyed("Sidecar of namespace", (namespace: string): Sidecar | undefined =>
    world
      .list("Sidecar", namespace)
      .filter(({ spec }) => namedSelector(spec?.workloadSelector?.labels) === undefined)
      .toSorted(byAge)
      .at(0),
  );
  const selecting = derivations.keyed("selecting Sidecars", (namespace: string): readonly Sidecar[] =>
    world
      .list("Sidecar", namespace)
      .filter(({ spec }) => namedSelector(spec?.workloadSelector?.labels) !== undefined)
      .toSorted(byAge),
  );
  const ofNamespace = (namespace: string): Sidecar | undefined => wide(namespace) ?? wide(rootNamespace);
  return {
    ofNamespace,
    of: ({ namespace, labels }) =>
      selecting(namespace).find(({ spec }) => selects(spec?.workloadSelector?.labels ?? {}, labels)) ??
      ofNamespace(namespace),
    imports({ spec }, viewer, host) {
      if (spec?.egress === undefined || spec.egress.length === 0) return true;
      return spec.egress.some((listener) => importsHost(listener.hosts ?? [], viewer, host));
    },
    importsRule({ spec }, viewer, { hosts, namespace }) {
      const entries = (spec?.egress ?? []).flatMap((listener) => listener.hosts ?? []);
      if (spec?.egress === undefined || spec.egress.length === 0) return true;
      return entries.map(parsed).some(({ from, host, excludes }) => {
        if (excludes || !isFrom(from, viewer, namespace)) return false;
        return hosts.some((name) => hostMatches(host, name) || hostMatches(name, host));
      });
    },
  };
}

/** Whether entries of one egress listener (`namespace/host`) let workloads of `viewer` see a host: what `~` excludes goes first. */
export function importsHost(entries: readonly string[], viewer: string, { name, namespace }: OwnedHost): boolean {
  const holding = entries
    .map(parsed)
    .filter(({ from, host }) => isFrom(from, viewer, namespace) && hostMatches(host, name));
  return holding.length > 0 && !holding.some(({ excludes }) => excludes);
}

interface Entry {
  /** `*`, `.` or a name. */
  readonly from: string;
  readonly host: string;
  readonly excludes: boolean;
}

/** `~ns/host` excludes, `~/host` for every namespace; `~/*` shows nothing, and hides nothing that another entry shows. */
function parsed(entry: string): Entry {
  const slash = entry.indexOf("/");
  const [from, host] = [entry.slice(0, slash), entry.slice(slash + 1)];
  if (!from.startsWith("~") || entry === "~/*") return { from, host, excludes: false };
  return { from: from === "~" ? "*" : from.slice(1), host, excludes: true };
}

function isFrom(from: string, viewer: string, namespace: string): boolean {
  return from === "*" || (from === "." ? viewer : from) === namespace;
}
