import { compact } from "../base/compact.ts";
import { formatProblem } from "../base/format-operators.ts";
import type { OwnTracing, SpanTag } from "../ir/telemetry.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * What a proxy configuration (as a proxy says that it has it) asks of spans; undefined for nothing. Values of a wrong type say
 * nothing: the configuration was checked where it was written.
 */
export function ownTracing(config: unknown): OwnTracing | undefined {
  const { tracing, zipkinAddress } = fields(config);
  const given = fields(tracing);
  const own: OwnTracing = compact({
    sampling: samplingOf(given["sampling"]),
    tags: tagsOf(given["customTags"]),
    meshTags: given["enableIstioTags"] === false ? (false as const) : undefined,
    maxTagLength: lengthOf(given["maxPathTagLength"]),
    collector: collectorOf(given, zipkinAddress),
  });
  return Object.keys(own).length === 0 ? undefined : own;
}

/** Nothing (0) is nothing said. */
function samplingOf(value: unknown): number | undefined {
  return typeof value === "number" && value > 0 && value <= 100 ? value : undefined;
}

function lengthOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined;
}

function tagsOf(value: unknown): readonly SpanTag[] | undefined {
  const tags = spanTags(fields(value));
  return tags.length === 0 ? undefined : tags;
}

/** Tags of spans, sorted by name; what says no source is passed over. Of Telemetry and of proxy configurations alike. */
export function spanTags(given: Fields): readonly SpanTag[] {
  return Object.entries(given)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, source]): readonly SpanTag[] => {
      const { literal, formatter, header, environment } = fields(source);
      const value = (of: unknown): string => textOf(fields(of)["value"]);
      const keyed = (of: unknown): { readonly key: string; readonly otherwise: string } => ({
        key: textOf(fields(of)["name"]),
        otherwise: textOf(fields(of)["defaultValue"]),
      });
      if (value(literal) !== "") return [{ name, from: "literal", value: value(literal) }];
      if (value(formatter) !== "")
        return formatProblem(value(formatter)) === undefined
          ? [{ name, from: "formatter", value: value(formatter) }]
          : [];
      if (keyed(header).key !== "") return [{ name, from: "header", ...keyed(header) }];
      return keyed(environment).key === "" ? [] : [{ name, from: "environment", ...keyed(environment) }];
    });
}

/** The collector that the agent gives the proxy a cluster for (src/agent/bootstrap-sinks.ts). */
function collectorOf({ zipkin, datadog }: Fields, zipkinAddress: unknown): OwnTracing["collector"] {
  const asked = hostOf(fields(zipkin)["address"]) ?? hostOf(zipkinAddress);
  if (asked !== undefined) return { kind: "zipkin", host: asked };
  const agent = hostOf(fields(datadog)["address"]);
  return agent === undefined ? undefined : { kind: "datadog", host: agent };
}

/** Of `host:port`. */
function hostOf(address: unknown): string | undefined {
  return typeof address === "string" ? /^(\[[0-9a-fA-F:]+\]|[^:\s]+):[0-9]+$/.exec(address)?.[1] : undefined;
}

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
