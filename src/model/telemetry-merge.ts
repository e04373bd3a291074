import { durationMs } from "../base/duration.ts";
import { STANDARD_METRICS } from "../base/standard-metrics.ts";
import type { MetricChange, MetricChanges, MetricName, TagValue } from "../ir/telemetry.ts";
import { defaultProviders, telemetryProvider } from "./extension-providers.ts";
import type { MeshConfig } from "./mesh-config.ts";
import type { TelemetrySide, TelemetrySpec } from "./telemetry.ts";

type Config = Pick<MeshConfig, "raw">;
type Metrics = NonNullable<TelemetrySpec["metrics"]>[number];
type Override = NonNullable<Metrics["overrides"]>[number];
type AccessLogging = NonNullable<TelemetrySpec["accessLogging"]>[number];
export type SpanSettings = NonNullable<TelemetrySpec["tracing"]>[number];

const ALL = Object.keys(STANDARD_METRICS) as readonly MetricName[];

/**
 * Metrics of one side, by Telemetries from the widest to the narrowest. Who names providers replaces the wider ones' choice;
 * overrides of the same provider add up, the narrowest wins label by label. Undefined: the standard metrics as they are.
 */
export function mergedMetrics(
  specs: readonly TelemetrySpec[],
  config: Config,
  side: TelemetrySide,
): MetricChanges | undefined {
  const entries = specs.flatMap(({ metrics = [] }) => metrics);
  const defaults = defaultProviders(config, "metrics");
  const inScope = entries.reduce((above, entry) => namesOf(entry) ?? above, defaults);
  const provider = inScope.find((name) => telemetryProvider(config, name)?.kind === "prometheus");
  if (provider === undefined) return "none";
  let parents = defaults;
  let isOff = false;
  const merged = new Map<MetricName, Merged>();
  for (const entry of entries) {
    parents = namesOf(entry) ?? parents;
    if (!parents.includes(provider)) continue;
    for (const override of (entry.overrides ?? []).filter(({ match }) => isOnSide(match?.mode, side))) {
      isOff = isAll(override) && override.disabled === true;
      if (!isOff) for (const name of metricsOf(override)) merged.set(name, laidOver(merged.get(name), override));
    }
  }
  if (isOff) return "none";
  const changes = [...merged].flatMap(([name, one]) => changeOf(name, one));
  return changes.length === 0 ? undefined : Object.fromEntries(changes.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Bytes of connections are not told more often, whatever is asked. */
const LEAST_MS = 1_000;

/** How often bytes of open connections are counted, in milliseconds, as the narrowest entry says that gives a time; undefined: as usual. */
export function reportingInterval(specs: readonly TelemetrySpec[], config: Config): number | undefined {
  let parents = defaultProviders(config, "metrics");
  let interval: number | undefined;
  for (const entry of specs.flatMap(({ metrics = [] }) => metrics)) {
    parents = namesOf(entry) ?? parents;
    if (!parents.some((name) => telemetryProvider(config, name)?.kind === "prometheus")) continue;
    const asked = durationMs(entry.reportingInterval ?? "");
    if (asked !== undefined && asked > 0) interval = Math.max(LEAST_MS, asked);
  }
  return interval;
}

interface Merged {
  readonly disabled: boolean;
  readonly tags: Readonly<Record<string, TagValue>>;
}

function laidOver(below: Merged = { disabled: false, tags: {} }, { disabled, tagOverrides = {} }: Override): Merged {
  const tags = Object.entries(tagOverrides).map(([name, { operation, value = "" }]): readonly [string, TagValue] => [
    name,
    operation === "REMOVE" ? null : value,
  ]);
  return {
    disabled: disabled ?? below.disabled,
    tags: { ...below.tags, ...Object.fromEntries(tags) },
  };
}

function changeOf(name: MetricName, { disabled, tags }: Merged): readonly (readonly [MetricName, MetricChange])[] {
  if (disabled) return [[name, "off"]];
  const sorted = Object.entries(tags).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return sorted.length === 0 ? [] : [[name, { tags: Object.fromEntries(sorted) }]];
}

function isOnSide(mode: string | undefined, side: TelemetrySide): boolean {
  return mode === undefined || mode === "CLIENT_AND_SERVER" || mode === side;
}

function isAll({ match }: Override): boolean {
  return match?.customMetric === undefined && (match?.metric === undefined || match.metric === "ALL_METRICS");
}

/** A custom metric can only be one of the standard ones by its own name: nobody defines others. */
function metricsOf(override: Override): readonly MetricName[] {
  const { metric, customMetric } = override.match ?? {};
  if (customMetric !== undefined) return ALL.filter((name) => isNamed(customMetric, name));
  return isAll(override) ? ALL : ALL.filter((name) => name === metric);
}

function isNamed(custom: string, name: MetricName): boolean {
  return custom === STANDARD_METRICS[name] || custom === `istio_${STANDARD_METRICS[name]}`;
}

function namesOf({
  providers = [],
}: {
  readonly providers?: readonly { readonly name: string }[];
}): readonly string[] | undefined {
  return providers.length === 0 ? undefined : providers.map(({ name }) => name);
}

/** What is logged to one provider. */
export interface MergedLog {
  readonly provider: string;
  readonly disabled: boolean;
  readonly filter: string | undefined;
}

/**
 * Access logs of one side, by name of the provider. Undefined: nothing is said, and the mesh's `accessLogFile` holds. The
 * rules are Istio's to the letter: a filter belongs to the entry that names the provider, also where a narrower entry
 * without providers inherits it.
 */
export function mergedLogs(
  specs: readonly TelemetrySpec[],
  config: Config,
  side: TelemetrySide,
): readonly MergedLog[] | undefined {
  const defaults = defaultProviders(config, "accessLogging");
  const levels = specs.map(({ accessLogging = [] }) => accessLogging).filter((entries) => entries.length > 0);
  if (levels.length === 0)
    return defaults.length === 0 ? undefined : sortedLogs(defaults.map((provider) => [provider, PLAIN]));
  const { filters, inScope } = namedLogs(levels, defaults, side);
  const merged = new Map<string, Omit<MergedLog, "provider">>();
  let parents = defaults;
  for (const entry of levels.flat()) {
    parents = namesOf(entry) ?? parents;
    if (!isOnSide(entry.match?.mode, side)) continue;
    for (const name of parents.filter((each) => inScope.has(each)))
      merged.set(name, { disabled: entry.disabled === true, filter: filters.get(name) });
  }
  return sortedLogs([...merged]);
}

/** The providers that the narrowest level with any names, and the filter of each that is named anywhere. */
function namedLogs(
  levels: readonly (readonly AccessLogging[])[],
  defaults: readonly string[],
  side: TelemetrySide,
): { readonly filters: ReadonlyMap<string, string | undefined>; readonly inScope: ReadonlySet<string> } {
  const filters = new Map<string, string | undefined>();
  let inScope: ReadonlySet<string> = new Set(defaults);
  for (const entries of levels) {
    const named = entries.filter(({ match }) => isOnSide(match?.mode, side));
    for (const entry of named) for (const name of namesOf(entry) ?? []) filters.set(name, expressionOf(entry));
    const names = named.flatMap((entry) => namesOf(entry) ?? []);
    if (names.length > 0) inScope = new Set(names);
  }
  return { filters, inScope };
}

const PLAIN = { disabled: false, filter: undefined };

function sortedLogs(
  logs: readonly (readonly [string, Omit<MergedLog, "provider">])[],
): readonly MergedLog[] | undefined {
  if (logs.length === 0) return undefined;
  return logs.map(([provider, rest]) => ({ provider, ...rest })).toSorted((a, b) => (a.provider < b.provider ? -1 : 1));
}

function expressionOf({ filter }: AccessLogging): string | undefined {
  return filter?.expression === "" ? undefined : filter?.expression;
}

/** Spans of one side: what is set, field by field, the narrowest last. Undefined: nothing is said of them. */
export function mergedSpans(
  specs: readonly TelemetrySpec[],
  config: Config,
  side: TelemetrySide,
): (Omit<SpanSettings, "match" | "providers"> & { readonly provider: string | undefined }) | undefined {
  const entries = specs.flatMap(({ tracing = [] }) => tracing);
  const [first] = defaultProviders(config, "tracing");
  if (entries.length === 0 && first === undefined) return undefined;
  let provider = first;
  let settings: SpanSettings = {};
  for (const { match: _, providers = [], ...own } of entries.filter(({ match }) => isOnSide(match?.mode, side))) {
    provider = providers[0]?.name ?? provider;
    const set = Object.entries(own).filter(([, value]) => value !== undefined && value !== null);
    settings = { ...settings, ...Object.fromEntries(set) };
  }
  return { ...settings, provider };
}
