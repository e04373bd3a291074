import { compact } from "../base/compact.ts";
import { once } from "../base/once.ts";
import type { MetricChange, MetricChanges, MetricName, Telemetry } from "../ir/telemetry.ts";
import type { MetricsContext } from "./metric-tags.ts";
import type { AccessLog } from "./types.ts";

/** What a chain wants of the standard metrics. */
export function changesOf({ telemetry }: MetricsContext): {
  readonly changeOf: (name: MetricName) => MetricChange | undefined;
  readonly isOn: (name: MetricName) => boolean;
} {
  const { metrics = {} } = telemetry ?? {};
  const changeOf = (name: MetricName): MetricChange | undefined => (metrics === "none" ? "off" : metrics[name]);
  return { changeOf, isOn: (name) => changeOf(name) !== "off" };
}

/** Loggers that are made once for the same changes: all of a client's listeners have the same ones. */
export function perChanges(
  make: (changes: MetricChanges) => readonly AccessLog[],
): (changes: MetricChanges) => readonly AccessLog[] {
  const made = new WeakMap<object, readonly AccessLog[]>();
  return (changes) => {
    if (changes === "none") return [];
    const known = made.get(changes) ?? make(changes);
    made.set(changes, known);
    return known;
  };
}

/** What decides about loggers of bytes. */
type OfBytes = Pick<Telemetry, "metrics" | "reportingMs">;

/** The same for loggers of bytes, which have a time between two records too. */
export function perTelemetry(
  make: (asked: OfBytes | undefined) => readonly AccessLog[],
): (telemetry: OfBytes | undefined) => readonly AccessLog[] {
  const plain = once(() => make(undefined));
  const made = new WeakMap<object, readonly AccessLog[]>();
  return (telemetry) => {
    const { metrics, reportingMs } = telemetry ?? {};
    if (telemetry === undefined || (metrics === undefined && reportingMs === undefined)) return plain();
    const known = made.get(telemetry) ?? make(compact({ metrics, reportingMs }));
    made.set(telemetry, known);
    return known;
  };
}
