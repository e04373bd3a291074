import { defaultAccessLogJson, defaultAccessLogText } from "../../base/access-log-format.ts";
import { compact } from "../../base/compact.ts";
import { formatProblem, formatProblems } from "../../base/format-operators.ts";
import { readProxyExpression } from "../../base/proxy-expression.ts";
import type { AlsSink, FileSink, LogSink, OtelSink } from "../../ir/telemetry.ts";
import { type ExtensionProvider, telemetryProvider } from "../../model/extension-providers.ts";
import { logLine, meshLogFormat } from "../../model/log-format.ts";
import type { MeshConfig } from "../../model/mesh-config.ts";
import type { Model } from "../../model/model.ts";
import type { TelemetrySpec } from "../../model/telemetry.ts";
import { mergedLogs } from "../../model/telemetry-merge.ts";
import { collectorOf, type TelemetrySite } from "./site.ts";

type Loose = Readonly<Record<string, unknown>>;

/**
 * Where one side's access logs go; undefined: as the mesh's `accessLogFile` says. So it is too where no provider that is named
 * can be used, as in Istio.
 */
export function logSinks(
  model: Model,
  site: TelemetrySite,
  specs: readonly TelemetrySpec[],
): readonly LogSink[] | undefined {
  const config = model.meshConfig();
  const known = (mergedLogs(specs, config, site.side) ?? []).flatMap(({ provider: name, disabled, filter }) => {
    const provider = telemetryProvider(config, name);
    const sink = provider && sinkOf(model, site, provider);
    // Envoy would refuse the whole listener
    if (filter !== undefined && "problem" in readProxyExpression(filter)) return [];
    return sink === undefined ? [] : [{ disabled, sink: compact({ ...sink, provider: name, filter }) }];
  });
  if (known.length === 0) return undefined;
  return known.filter(({ disabled }) => !disabled).map(({ sink }) => sink);
}

type Sink = FileSink | OtelSink | AlsSink;

function sinkOf(model: Model, { viewer }: TelemetrySite, provider: ExtensionProvider): Sink | undefined {
  const { kind, settings } = provider;
  if (kind === "envoyFileAccessLog") return fileSink(provider, model.meshConfig());
  const collector = collectorOf(model, viewer, settings);
  if (collector === undefined) return undefined;
  if (kind === "envoyOtelAls") return { ...collector, ...otelSink(settings) };
  if (kind === "envoyHttpAls") return { ...collector, ...alsSink("http-als", settings) };
  return kind === "envoyTcpAls" ? { ...collector, ...alsSink("tcp-als", settings) } : undefined;
}

const STDOUT = "/dev/stdout";

/** Istio's provider `envoy` writes as the mesh says where it says nothing itself. */
function fileSink({ name, settings }: ExtensionProvider, config: MeshConfig): FileSink {
  const path = textOf(settings["path"], STDOUT);
  const omitEmptyValues = settings["omitEmptyValues"] === true ? ({ omitEmptyValues: true } as const) : {};
  if (name === "envoy" && settings["logFormat"] === undefined && settings["omitEmptyValues"] !== true)
    return { kind: "file", path, format: meshLogFormat(config) };
  const { text, labels } = fields(settings["logFormat"]);
  if (labels !== undefined) {
    const given = fields(labels);
    const isOwn = Object.keys(given).length > 0 && formatProblems(given).length === 0;
    const json = isOwn ? given : defaultAccessLogJson();
    return { kind: "file", path, format: { json, ...omitEmptyValues } };
  }
  return { kind: "file", path, format: { text: logLine(textOf(text, "")), ...omitEmptyValues } };
}

function otelSink(settings: Loose): Omit<OtelSink, "cluster" | "host"> {
  const { text, labels } = fields(settings["logFormat"]);
  const attributes = Object.entries(fields(labels)).map(([key, value]) => [key, String(value)] as const);
  return {
    kind: "otel",
    logName: textOf(settings["logName"], "otel_envoy_accesslog"),
    body: usable(textOf(text, defaultAccessLogText())),
    attributes: Object.fromEntries(
      attributes.filter(([, format]) => formatProblem(format) === undefined).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ),
  };
}

/** A format that Envoy would refuse must not cost the proxy its listeners. */
function usable(format: string): string {
  return formatProblem(format) === undefined ? format : defaultAccessLogText();
}

function alsSink(kind: AlsSink["kind"], settings: Loose): Omit<AlsSink, "cluster" | "host"> {
  return {
    kind,
    logName: textOf(settings["logName"], kind === "http-als" ? "http_envoy_accesslog" : "tcp_envoy_accesslog"),
    filterStates: texts(settings["filterStateObjectsToLog"]),
    requestHeaders: texts(settings["additionalRequestHeadersToLog"]),
    responseHeaders: texts(settings["additionalResponseHeadersToLog"]),
    responseTrailers: texts(settings["additionalResponseTrailersToLog"]),
  };
}

function isFields(value: unknown): value is Loose {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fields(value: unknown): Loose {
  return isFields(value) ? value : {};
}

function textOf(value: unknown, otherwise: string): string {
  return typeof value === "string" && value !== "" ? value : otherwise;
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}
