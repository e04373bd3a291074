import type { KindTypes } from "../resources/kinds.ts";
import { byAge } from "./order.ts";
import { namedSelector, selects } from "./selectors.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What settings of one proxy are made from. */
export interface ProxyConfigSources {
  /** `defaultConfig` of the mesh, with the defaults below it. */
  readonly mesh: Fields;
  /** ProxyConfig objects, of any namespace. */
  readonly resources: readonly KindTypes["ProxyConfig"][];
  readonly rootNamespace: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Annotation proxy.istio.io/config, read. */
  readonly annotation: Fields | undefined;
}

/**
 * The settings of a proxy in Istio's order, the last wins: mesh, ProxyConfig of the root namespace, of the pod's namespace,
 * the pod's annotation, ProxyConfig that selects the pod (istioctl.md 4.3). Of several in one place the oldest counts alone.
 */
export function effectiveProxyConfig(sources: ProxyConfigSources): Fields {
  const { mesh, rootNamespace, namespace, labels, annotation } = sources;
  const resources = sources.resources.toSorted(byAge);
  const first = (where: string, fits: (selector: Labels | undefined) => boolean): Fields | undefined =>
    asProxyConfig(
      resources.find(
        ({ metadata, spec }) => metadata.namespace === where && fits(namedSelector(spec?.selector?.matchLabels)),
      ),
    );
  const forAll = (selector: Labels | undefined): boolean => selector === undefined;
  const layers = [
    first(rootNamespace, forAll),
    namespace === rootNamespace ? undefined : first(namespace, forAll),
    annotation,
    first(namespace, (selector) => selector !== undefined && selects(selector, labels)),
  ];
  return layers.reduce<Fields>((below, layer) => (layer === undefined ? below : laidOver(below, layer)), mesh);
}

type Labels = Readonly<Record<string, string>>;

/** The kind's fields under the names that the mesh configuration has for them. */
function asProxyConfig(object: KindTypes["ProxyConfig"] | undefined): Fields | undefined {
  if (object?.spec === undefined) return undefined;
  const { concurrency, environmentVariables, image } = object.spec;
  return { concurrency, proxyMetadata: environmentVariables, image };
}

/** Maps of which each key counts for itself; every other field is replaced as a whole, as Istio does it. */
const BY_KEY: ReadonlySet<string> = new Set(["proxyMetadata", "proxyHeaders"]);

function laidOver(below: Fields, above: Fields): Fields {
  const merged: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    if (value === undefined || value === null) continue;
    const old = merged[key];
    merged[key] = BY_KEY.has(key) && isFields(old) && isFields(value) ? { ...old, ...value } : value;
  }
  return merged;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
