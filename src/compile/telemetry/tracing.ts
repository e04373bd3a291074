import { compact } from "../../base/compact.ts";
import { durationMs } from "../../base/duration.ts";
import type { DynatraceSampler, Header, OwnTracing, Tracer, Tracing } from "../../ir/telemetry.ts";
import { type ExtensionProvider, telemetryProvider } from "../../model/extension-providers.ts";
import type { Model } from "../../model/model.ts";
import { spanTags } from "../../model/own-tracing.ts";
import type { TelemetrySpec } from "../../model/telemetry.ts";
import { mergedSpans } from "../../model/telemetry-merge.ts";
import { collectorOf, type TelemetrySite } from "./site.ts";

type Loose = Readonly<Record<string, unknown>>;

/** Istio's share of new traces where nothing is said, in percent. */
const SAMPLING = 1;
const ZIPKIN_PATH = "/api/v2/spans";
const ZIPKIN_TIMEOUT_MS = 5000;

/**
 * How one side makes spans; undefined: it makes none. Without any Telemetry and default provider it is the proxy's own
 * configuration that counts, unless the mesh says `enableTracing: false`.
 */
export function tracingOf(model: Model, site: TelemetrySite, specs: readonly TelemetrySpec[]): Tracing | undefined {
  const config = model.meshConfig();
  const { tracing: own = {} } = site.facts;
  const spans = mergedSpans(specs, config, site.side);
  if (spans === undefined) return config.raw["enableTracing"] === false ? undefined : byOwnConfig(own, site.isGateway);
  const provider = spans.disableSpanReporting === true ? undefined : telemetryProvider(config, spans.provider ?? "");
  return provider && spansTo(model, site, { spans, provider });
}

interface Asked {
  readonly spans: NonNullable<ReturnType<typeof mergedSpans>>;
  readonly provider: ExtensionProvider;
}

function spansTo(model: Model, site: TelemetrySite, { spans, provider }: Asked): Tracing | undefined {
  const { tracing: own = {} } = site.facts;
  const tracer = tracerOf(model, site, provider);
  if (tracer === undefined) return undefined;
  const given = spanTags(spans.customTags ?? {});
  return compact({
    tracer,
    sampling: samplingOf(tracer, spans, own),
    spanPair: yes(site.isGateway || tracer.kind === "skywalking"),
    meshTags: spans.enableIstioTags !== false,
    tags: given.length > 0 ? given : (own.tags ?? []),
    maxTagLength: lengthOf(provider.settings["maxTagLength"]) ?? own.maxTagLength,
    keepRequestId: yes(spans.useRequestIdForTraceSampling === false),
    noPropagation: yes(spans.disableContextPropagation === true),
  });
}

/** What a sampler is to decide has to reach it. */
function samplingOf(
  tracer: Tracer,
  { randomSamplingPercentage }: { readonly randomSamplingPercentage?: number | null },
  own: OwnTracing,
): number {
  if (tracer.kind === "otel" && tracer.sampler !== undefined) return 100;
  return randomSamplingPercentage ?? own.sampling ?? SAMPLING;
}

function yes(isSo: boolean): true | undefined {
  return isSo ? true : undefined;
}

/** The collector that the proxy's own bootstrap knows. */
function byOwnConfig(own: OwnTracing, isGateway: boolean): Tracing | undefined {
  const { collector, sampling = SAMPLING, tags = [], meshTags = true, maxTagLength } = own;
  if (collector === undefined) return undefined;
  const { kind, host } = collector;
  const tracer: Tracer =
    kind === "datadog"
      ? { kind, cluster: "datadog_agent", host }
      : { kind, cluster: "zipkin", host, ...ZIPKIN, w3c: false, shortIds: false, headers: [] };
  return compact({ tracer, sampling, spanPair: yes(isGateway), meshTags, tags, maxTagLength });
}

const ZIPKIN = { path: ZIPKIN_PATH, timeoutMs: ZIPKIN_TIMEOUT_MS } as const;

function tracerOf(model: Model, site: TelemetrySite, { kind, settings }: ExtensionProvider): Tracer | undefined {
  const collector = collectorOf(model, site.viewer, settings);
  if (collector === undefined) return undefined;
  switch (kind) {
    case "zipkin":
      return {
        kind,
        ...collector,
        path: textOf(settings["path"]) ?? ZIPKIN_PATH,
        w3c: settings["traceContextOption"] === "USE_B3_WITH_W3C_PROPAGATION",
        shortIds: settings["enable64bitTraceId"] === true,
        timeoutMs: timeOf(settings["timeout"]) ?? ZIPKIN_TIMEOUT_MS,
        headers: headersOf(settings["headers"]),
      };
    case "opentelemetry":
      return otelTracer(model, site, { ...collector, settings });
    case "datadog":
    case "skywalking":
      return { kind, ...collector };
    default:
      return undefined;
  }
}

/** Undefined where its sampler cannot be asked: Istio makes no spans then. */
function otelTracer(
  model: Model,
  { viewer, facts }: TelemetrySite,
  { settings, cluster, host }: { readonly settings: Loose; readonly cluster: string; readonly host: string },
): Tracer | undefined {
  const http = settings["http"] === undefined ? undefined : fields(settings["http"]);
  const grpc = fields(settings["grpc"]);
  const detectors = fields(settings["resourceDetectors"]);
  const asked = settings["dynatraceSampler"];
  const sampler =
    asked === undefined ? undefined : samplerOf(model, viewer, { asked: fields(asked), http, cluster, host });
  if (asked !== undefined && sampler === undefined) return undefined;
  return compact({
    kind: "otel" as const,
    cluster,
    host,
    http: http && { path: textOf(http["path"]) ?? "/" },
    timeoutMs: timeOf((http ?? grpc)["timeout"]),
    headers: headersOf(http === undefined ? grpc["initialMetadata"] : http["headers"]),
    service: bySemanticRules(settings) ? facts.serviceName : undefined,
    detectors: (["environment", "dynatrace"] as const).filter((name) => detectors[name] !== undefined),
    sampler,
  });
}

/** Whether a provider names services by OpenTelemetry's rules for Kubernetes. */
export function bySemanticRules(settings: Loose): boolean {
  return settings["serviceAttributeEnrichment"] === "OTEL_SEMANTIC_CONVENTIONS";
}

/** Without a service of its own it is asked where spans are sent, which has to be by HTTP. */
function samplerOf(
  model: Model,
  viewer: TelemetrySite["viewer"],
  spans: { readonly asked: Loose; readonly http: Loose | undefined; readonly cluster: string; readonly host: string },
): DynatraceSampler | undefined {
  const { asked, http: report, cluster, host } = spans;
  const own = asked["httpService"] === undefined ? undefined : fields(asked["httpService"]);
  const at = own === undefined ? { cluster, host } : collectorOf(model, viewer, own);
  const http = own === undefined ? report : fields(own["http"]);
  if (at === undefined || http === undefined) return undefined;
  return compact({
    ...at,
    tenant: textOf(asked["tenant"]) ?? "",
    clusterId: numberOf(asked["clusterId"]) ?? 0,
    rootSpansPerMinute: numberOf(asked["rootSpansPerMinute"]) ?? 0,
    path: own === undefined ? "/api/v2/samplingConfiguration" : (textOf(http["path"]) ?? "/"),
    timeoutMs: timeOf(http["timeout"]),
    headers: headersOf(http["headers"]),
  });
}

function headersOf(value: unknown): readonly Header[] {
  return (Array.isArray(value) ? (value as unknown[]) : []).flatMap((one): readonly Header[] => {
    const { name, value: given } = fields(one);
    const text = textOf(given);
    return typeof name === "string" && name !== "" && text !== undefined ? [[name, text]] : [];
  });
}

function lengthOf(value: unknown): number | undefined {
  return numberOf(value) === 0 ? undefined : numberOf(value);
}

function numberOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

function timeOf(value: unknown): number | undefined {
  return typeof value === "string" ? durationMs(value) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function fields(value: unknown): Loose {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}
