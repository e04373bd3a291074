import { compact } from "../base/compact.ts";
import { PEER_KEYS, type PeerKey, peerEnvironment } from "../base/peer.ts";
import type { Collector, DynatraceSampler, Header, SpanTag, Tracer, Tracing } from "../ir/telemetry.ts";
import { type Messages, type TypedAny, typed } from "../wire/codec.ts";
import { maybeSeconds, seconds } from "./duration.ts";

type Hcm = Messages["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"];
type Tag = Messages["envoy.type.tracing.v3.CustomTag"];
type HttpService = Messages["envoy.config.core.v3.HttpService"];
type Extension = Messages["envoy.config.core.v3.TypedExtensionConfig"];

/**
 * Spans of a connection manager. They are named by the route's decorator; a client's or a server's by the listener's traffic
 * direction. What the workload says of itself comes from Envoy's environment, so that listeners do not depend on it.
 */
export function tracing(asked: Tracing | undefined): Partial<Hcm> {
  if (asked === undefined) return {};
  const { tracer, sampling, spanPair, meshTags, tags, maxTagLength, keepRequestId, noPropagation } = asked;
  return {
    tracing: compact({
      client_sampling: { value: 100 },
      random_sampling: { value: sampling },
      overall_sampling: { value: 100 },
      max_path_tag_length: maxTagLength,
      custom_tags: [...(meshTags ? [...OWN_TAGS, ...DRY_RUN_TAGS] : []), ...tags.map(customTag)].toSorted(byTag),
      provider: provider(tracer),
      spawn_upstream_span: spanPair,
      no_context_propagation: noPropagation,
    }),
    ...(keepRequestId === undefined ? {} : { request_id_extension: { typed_config: KEPT_ID } }),
  };
}

const KEPT_ID = typed("envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig", {
  use_request_id_for_trace_sampling: false,
});

function byTag(a: Tag, b: Tag): number {
  return (a.tag ?? "") < (b.tag ?? "") ? -1 : 1;
}

/** Istio's tags of the workload, by the label that its environment has. */
const OF_WORKLOAD: Readonly<Record<string, PeerKey>> = {
  "istio.canonical_revision": "revision",
  "istio.canonical_service": "canonical",
  "istio.cluster_id": "cluster",
  "istio.namespace": "ns",
};

const OWN_TAGS: readonly Tag[] = [
  ...Object.entries(OF_WORKLOAD).map(([tag, key]) => ({
    tag,
    environment: { name: peerEnvironment(key), default_value: missing(key) },
  })),
  { tag: "istio.mesh_id", environment: { name: "ISTIO_META_MESH_ID", default_value: "unknown" } },
];

function missing(key: PeerKey): string {
  return PEER_KEYS.includes(key) && key === "revision" ? "latest" : "unknown";
}

/** What policies that are tried would have done. */
const DRY_RUN_TAGS: readonly Tag[] = (["allow", "deny"] as const).flatMap((action) =>
  (
    [
      ["name", "shadow_effective_policy_id"],
      ["result", "shadow_engine_result"],
    ] as const
  ).map(([what, key]) => ({
    tag: `istio.authorization.dry_run.${action}_policy.${what}`,
    metadata: {
      kind: { request: {} },
      metadata_key: { key: "envoy.filters.http.rbac", path: [{ key: `istio_dry_run_${action}_${key}` }] },
    },
  })),
);

function customTag(tag: SpanTag): Tag {
  switch (tag.from) {
    case "literal":
      return { tag: tag.name, literal: { value: tag.value } };
    case "formatter":
      return { tag: tag.name, value: tag.value };
    case "header":
      return { tag: tag.name, request_header: source(tag) };
    case "environment":
      return { tag: tag.name, environment: source(tag) };
  }
}

function source({ key, otherwise }: { readonly key: string; readonly otherwise: string }): {
  readonly name: string;
  readonly default_value?: string;
} {
  return otherwise === "" ? { name: key } : { name: key, default_value: otherwise };
}

function provider(tracer: Tracer): Messages["envoy.config.trace.v3.Tracing.Http"] {
  switch (tracer.kind) {
    case "zipkin":
      return { name: "envoy.tracers.zipkin", typed_config: zipkin(tracer) };
    case "otel":
      return { name: "envoy.tracers.opentelemetry", typed_config: otel(tracer) };
    case "datadog":
      return {
        name: "envoy.tracers.datadog",
        typed_config: typed("envoy.config.trace.v3.DatadogConfig", {
          collector_cluster: tracer.cluster,
          collector_hostname: tracer.host,
          // DD_SERVICE of Envoy's environment, which the agent sets, comes before it
          service_name: "envoy",
        }),
      };
    case "skywalking":
      return {
        name: "envoy.tracers.skywalking",
        typed_config: typed("envoy.config.trace.v3.SkyWalkingConfig", { grpc_service: grpcService(tracer) }),
      };
  }
}

function zipkin(tracer: Extract<Tracer, { kind: "zipkin" }>): TypedAny {
  return typed("envoy.config.trace.v3.ZipkinConfig", {
    collector_endpoint_version: "HTTP_JSON",
    trace_id_128bit: !tracer.shortIds,
    shared_span_context: false,
    collector_service: httpService(tracer, tracer),
    trace_context_option: tracer.w3c ? "USE_B3_WITH_W3C_PROPAGATION" : "USE_B3",
  });
}

function otel(tracer: Extract<Tracer, { kind: "otel" }>): TypedAny {
  const { http, timeoutMs, headers, service, detectors, sampler } = tracer;
  return typed(
    "envoy.config.trace.v3.OpenTelemetryConfig",
    compact({
      grpc_service: http === undefined ? grpcService(tracer, { timeoutMs, headers }) : undefined,
      http_service: http && httpService(tracer, { path: http.path, timeoutMs, headers }),
      // the environment names the service, and no listener depends on it
      resource_detectors: [
        ENVIRONMENT,
        ...(detectors.includes("dynatrace") ? [DYNATRACE] : []),
        ...(service === undefined ? [] : [fixedService(service)]),
      ],
      sampler: sampler && dynatrace(sampler),
    }),
  );
}

const DETECTOR = "envoy.tracers.opentelemetry.resource_detectors";

const ENVIRONMENT: Extension = {
  name: `${DETECTOR}.environment`,
  typed_config: typed(
    "envoy.extensions.tracers.opentelemetry.resource_detectors.v3.EnvironmentResourceDetectorConfig",
    {},
  ),
};

const DYNATRACE: Extension = {
  name: `${DETECTOR}.dynatrace`,
  typed_config: typed(
    "envoy.extensions.tracers.opentelemetry.resource_detectors.v3.DynatraceResourceDetectorConfig",
    {},
  ),
};

function fixedService(name: string): Extension {
  return {
    name: `${DETECTOR}.static_config`,
    typed_config: typed(
      "envoy.extensions.tracers.opentelemetry.resource_detectors.v3.StaticConfigResourceDetectorConfig",
      { attributes: { "service.name": name } },
    ),
  };
}

function dynatrace(sampler: DynatraceSampler): Extension {
  return {
    name: "envoy.tracers.opentelemetry.samplers.dynatrace",
    typed_config: typed("envoy.extensions.tracers.opentelemetry.samplers.v3.DynatraceSamplerConfig", {
      tenant: sampler.tenant,
      cluster_id: sampler.clusterId,
      root_spans_per_minute: sampler.rootSpansPerMinute,
      http_service: httpService(sampler, sampler),
    }),
  };
}

interface Report {
  readonly timeoutMs?: number | undefined;
  readonly headers?: readonly Header[];
}

/** Reports over gRPC to a collector; of access logs too. */
export function grpcService(
  { cluster, host }: Collector,
  { timeoutMs, headers = [] }: Report = {},
): Messages["envoy.config.core.v3.GrpcService"] {
  return compact({
    envoy_grpc: { cluster_name: cluster, authority: host },
    timeout: maybeSeconds(timeoutMs),
    initial_metadata: headers.length === 0 ? undefined : headers.map(([key, value]) => ({ key, value })),
  });
}

/** Envoy wants a time that a report may take. */
const TIMEOUT_MS = 5000;

function httpService(
  { cluster, host }: Collector,
  { path, timeoutMs = TIMEOUT_MS, headers = [] }: Report & { readonly path: string },
): HttpService {
  return compact({
    http_uri: {
      uri: `http://${host}${path.startsWith("/") ? path : `/${path}`}`,
      cluster,
      timeout: seconds(timeoutMs),
    },
    request_headers_to_add:
      headers.length === 0
        ? undefined
        : headers.map(([key, value]) => ({
            header: { key, value },
            append_action: "OVERWRITE_IF_EXISTS_OR_ADD" as const,
          })),
  });
}
