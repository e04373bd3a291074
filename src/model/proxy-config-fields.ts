import type { FieldPath } from "../diagnostics/finding.ts";

/**
 * Where a field of ProxyConfig takes effect. `none` says why a field that is accepted does nothing; `lacks` what a field that
 * does something does not do, of a member.
 * `example` is a value that changes what the agent does; the contract test shows it.
 */
export type FieldUse =
  | { readonly by: "agent"; readonly example: unknown; readonly lacks?: Lacks }
  | { readonly by: "control plane"; readonly example: unknown; readonly lacks?: Lacks }
  | { readonly by: "injection"; readonly how: string }
  | { readonly by: "none"; readonly why: string };

type Lacks = Readonly<Record<string, string>>;

const injection = (how: string): FieldUse => ({ by: "injection", how });
const controlPlane = (example: unknown, lacks: Lacks = {}): FieldUse => ({ by: "control plane", example, lacks });
const agent = (example: unknown, lacks: Lacks = {}): FieldUse => ({ by: "agent", example, lacks });
const none = (why: string): FieldUse => ({ by: "none", why });

const NO_TRACER = "Envoy has no such tracer any more: use an extension provider of kind opentelemetry";

/** Every field of schemas/mesh-proxy-config.schema.json. (test/contract/proxy-config-fields.test.ts) */
export const PROXY_CONFIG_FIELDS: Readonly<Record<string, FieldUse>> = {
  concurrency: agent(3),
  discoveryAddress: agent("istiod.other.svc:15012"),
  drainDuration: agent("7s"),
  terminationDrainDuration: agent("9s"),
  holdApplicationUntilProxyStarts: injection("puts the proxy first, with `mesh-agent wait` after its start"),
  proxyMetadata: injection("becomes the environment of the proxy's container, which the agent reads"),
  image: injection("names the proxy's image"),
  meshId: injection("becomes ISTIO_META_MESH_ID"),
  tracing: agent(
    { zipkin: { address: "zipkin.observability:9411" } },
    { lightstep: NO_TRACER, openCensusAgent: NO_TRACER, stackdriver: NO_TRACER },
  ),
  proxyStatsMatcher: agent({ inclusionPrefixes: ["cluster.outbound"] }),
  proxyHeaders: controlPlane({ requestId: { disabled: true } }),
  gatewayTopology: controlPlane({ numTrustedProxies: 1 }),
  connectionSettings: controlPlane(
    { httpIdleTimeout: "90s" },
    { listenerConnectionLimit: "Envoy limits listeners by names that the proxy does not know when it starts" },
  ),
  interceptionMode: injection("becomes the mode of the capture rules and ISTIO_META_INTERCEPTION_MODE"),
  statusPort: agent(15999),
  proxyAdminPort: agent(15998),
  statNameLength: none("Envoy has had no limit to set since 1.9"),
  configPath: agent("./etc/elsewhere"),
  binaryPath: agent("/opt/envoy"),
  customConfigFile: agent("./custom.json"),
  proxyBootstrapTemplatePath: none(
    "a Go template; what it is used for is done by the other fields, or by a bootstrap override",
  ),
  runtimeValues: agent({ "envoy.reloadable_features.example": "true" }),
  serviceCluster: agent("billing"),
  tracingServiceName: agent("CANONICAL_NAME_ONLY"),
  controlPlaneAuthPolicy: none("there is no control plane without mutual TLS"),
  statsdUdpAddress: agent("10.0.0.7:8125"),
  envoyAccessLogService: agent({ address: "als.logs:9000" }),
  envoyMetricsService: agent({ address: "metrics.logs:9000", tlsSettings: { mode: "SIMPLE" } }),
  readinessProbe: agent({ httpGet: { port: 8080 } }),
  caCertificatesPem: agent(["-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"]),
  privateKeyProvider: none("the key is made and held by the agent; hardware that signs is not reached from there"),
  fileFlushInterval: agent("3s"),
  fileFlushMinSizeKb: agent(8),
  statsCompression: agent(false),
  extraStatTags: none("deprecated; every label of a metric is kept"),
  zipkinAddress: agent("zipkin.observability:9411"),
  envoyMetricsServiceAddress: agent("metrics.logs:9000"),
  discoveryRefreshDelay: none("deprecated; configuration is pushed"),
  availabilityZone: none("deprecated; the locality comes from the node"),
  sds: none("deprecated; certificates always come over SDS"),
};

/** A setting of a proxy configuration that is accepted and changes nothing, and why. */
export interface IdleSetting {
  readonly path: FieldPath;
  readonly why: string;
}

/** The settings of a proxy configuration that change nothing. What is unknown or of a wrong type is the schema's to say. */
export function idleProxySettings(config: unknown): readonly IdleSetting[] {
  if (!isFields(config)) return [];
  return Object.entries(config).flatMap(([name, value]) => {
    if (value === null || value === undefined || !Object.hasOwn(PROXY_CONFIG_FIELDS, name)) return [];
    const use = PROXY_CONFIG_FIELDS[name];
    if (use?.by === "none") return [{ path: [name], why: use.why }];
    if (use === undefined || use.by === "injection") return [];
    return Object.entries(use.lacks ?? {}).flatMap(([member, why]) => {
      return isFields(value) && value[member] !== undefined && value[member] !== null
        ? [{ path: [name, member], why }]
        : [];
    });
  });
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
