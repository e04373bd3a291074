import type { STANDARD_METRICS } from "../base/standard-metrics.ts";

/** What a proxy tells about its traffic on one side (as client, or as server). A key that is absent: as without any setting. */
export interface Telemetry {
  /** Absent: the standard metrics with their labels. */
  readonly metrics?: MetricChanges;
  /** Milliseconds between two counts of an open connection's bytes; absent: Istio's five seconds. */
  readonly reportingMs?: number;
  /** Instead of the mesh's `accessLogFile`; empty: no access log. */
  readonly logs?: readonly LogSink[];
  /** Absent: no spans. */
  readonly tracing?: Tracing;
}

/** The standard metrics, by the names that Telemetry has for them. */
export type MetricName = keyof typeof STANDARD_METRICS;

/** How the standard metrics differ from what they are. */
export type MetricChanges = "none" | { readonly [name in MetricName]?: MetricChange };

/** A metric's change: left out, or with other labels. */
export type MetricChange = "off" | { readonly tags: Readonly<Record<string, TagValue>> };

/** A label's value: an expression (CEL), or null: the label is left out. */
export type TagValue = string | null;

/** A server of the mesh that is told: its cluster, and the name it is asked by. */
export interface Collector {
  readonly cluster: string;
  readonly host: string;
}

/** Where access logs go. */
export type LogSink = (FileSink | OtelSink | AlsSink) & {
  /** The provider's name in the mesh configuration. */
  readonly provider: string;
  /** Expression (CEL) that is true for what is logged; absent: all. */
  readonly filter?: string;
};

export interface FileSink {
  readonly kind: "file";
  readonly path: string;
  readonly format: LogFormat;
}

/** How a line is written; `text` a format of Envoy, `json` an object of such formats. */
export type LogFormat = ({ readonly text: string } | { readonly json: Readonly<Record<string, unknown>> }) & {
  readonly omitEmptyValues?: true;
};

/** OpenTelemetry's log service. */
export interface OtelSink extends Collector {
  readonly kind: "otel";
  readonly logName: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Envoy's own access log service. */
export interface AlsSink extends Collector {
  readonly kind: "http-als" | "tcp-als";
  readonly logName: string;
  readonly filterStates: readonly string[];
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
  readonly responseTrailers: readonly string[];
}

/** How spans are made. */
export interface Tracing {
  readonly tracer: Tracer;
  /** Of traces that begin here, in percent. */
  readonly sampling: number;
  /** Of the request and of the call upstream: two spans. */
  readonly spanPair?: true;
  /** The mesh's own tags (istio.*). */
  readonly meshTags: boolean;
  /** By name, sorted. */
  readonly tags: readonly SpanTag[];
  readonly maxTagLength?: number;
  /** The request's id does not carry the decision to sample. */
  readonly keepRequestId?: true;
  /** Trace headers are not sent on. */
  readonly noPropagation?: true;
}

export type SpanTag = { readonly name: string } & (
  | { readonly from: "literal"; readonly value: string }
  | { readonly from: "formatter"; readonly value: string }
  | { readonly from: "header" | "environment"; readonly key: string; readonly otherwise: string }
);

/** `tracing` of a proxy's own configuration, as far as its listeners ask. */
export interface OwnTracing {
  readonly sampling?: number;
  readonly tags?: readonly SpanTag[];
  readonly meshTags?: false;
  readonly maxTagLength?: number;
  /** A collector that the proxy knows from its bootstrap: what it speaks, and its host. */
  readonly collector?: { readonly kind: "zipkin" | "datadog"; readonly host: string };
}

/** Who takes the spans. Times in milliseconds. */
export type Tracer =
  | ({
      readonly kind: "zipkin";
      readonly path: string;
      readonly w3c: boolean;
      readonly shortIds: boolean;
      readonly timeoutMs: number;
      readonly headers: readonly Header[];
    } & Collector)
  | ({
      readonly kind: "otel";
      /** Absent: gRPC. */
      readonly http?: { readonly path: string };
      readonly timeoutMs?: number;
      readonly headers: readonly Header[];
      /** Name of the service that spans are of; absent: as the proxy's environment says. */
      readonly service?: string;
      readonly detectors: readonly ("environment" | "dynatrace")[];
      readonly sampler?: DynatraceSampler;
    } & Collector)
  | ({ readonly kind: "datadog" } & Collector)
  | ({ readonly kind: "skywalking" } & Collector);

export type Header = readonly [name: string, value: string];

/** Decides by what Dynatrace says. */
export interface DynatraceSampler extends Collector {
  readonly tenant: string;
  readonly clusterId: number;
  readonly rootSpansPerMinute: number;
  readonly path: string;
  readonly timeoutMs?: number;
  readonly headers: readonly Header[];
}
