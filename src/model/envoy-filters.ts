import { RE2JS } from "re2js";
import type { KindTypes } from "../resources/kinds.ts";
import type { ModelContext } from "./context.ts";
import { byAge } from "./order.ts";
import { namedSelector, selects } from "./selectors.ts";

/** The object, with its spec. */
export type EnvoyFilter = KindTypes["EnvoyFilter"];
/** One of its changes. */
export type ConfigPatch = NonNullable<NonNullable<EnvoyFilter["spec"]>["configPatches"]>[number];

/** A proxy, as far as EnvoyFilters ask. */
export interface PatchedProxy {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Its version and metadata as its node says them. */
  readonly version?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** Questions about EnvoyFilters. */
export interface EnvoyFilters {
  /**
   * Those that hold for a proxy, in the order in which they are applied: by priority, the root namespace's first, by age.
   * Each as `namespace/name`, with the numbers of its patches where some are not for this proxy: `namespace/name:0,2`.
   */
  of(proxy: PatchedProxy): readonly string[];
}

/** Label by which pods of a Gateway of Gateway API say whose they are. */
const GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name";

export function createEnvoyFilters({ world, derivations, rootNamespace }: ModelContext): EnvoyFilters {
  const ordered = derivations.keyed("EnvoyFilters", (namespace: string): readonly EnvoyFilter[] => {
    const namespaces = [...new Set([rootNamespace, namespace])];
    return namespaces
      .flatMap((each) => world.list("EnvoyFilter", each).toSorted(byAge))
      .toSorted((a, b) => (a.spec?.priority ?? 0) - (b.spec?.priority ?? 0));
  });
  return {
    of: (proxy) =>
      ordered(proxy.namespace)
        .filter((object) => holds(object, proxy))
        .flatMap(({ metadata, spec }) => {
          const patches = spec?.configPatches ?? [];
          const own = patches.flatMap((patch, index) => (isFor(patch, proxy) ? [index] : []));
          if (own.length === 0) return [];
          const name = `${metadata.namespace ?? ""}/${metadata.name}`;
          return [own.length === patches.length ? name : `${name}:${own.join(",")}`];
        }),
  };
}

function holds({ spec, metadata }: EnvoyFilter, { namespace, labels }: PatchedProxy): boolean {
  const { targetRefs = [] } = spec ?? {};
  if (targetRefs.length > 0)
    return (
      metadata.namespace === namespace &&
      targetRefs.some(({ kind, name }) => kind === "Gateway" && labels[GATEWAY_LABEL] === name)
    );
  const selector = namedSelector(spec?.workloadSelector?.labels);
  return selector === undefined || selects(selector, labels);
}

function isFor({ match }: ConfigPatch, { version = "", metadata = {} }: PatchedProxy): boolean {
  const { proxyVersion = "", metadata: wanted = {} } = match?.proxy ?? {};
  if (proxyVersion !== "" && !matches(proxyVersion, version)) return false;
  return Object.entries(wanted).every(([key, value]) => metadata[key] === value);
}

/** A pattern that cannot be read holds for nobody. */
function matches(pattern: string, version: string): boolean {
  try {
    return RE2JS.compile(pattern).matcher(version).find();
  } catch {
    return false;
  }
}
