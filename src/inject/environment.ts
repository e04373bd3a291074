import type { Container, EnvVar } from "../resources/core.ts";
import type { InjectContext } from "./config.ts";

type Annotations = Readonly<Record<string, string>>;
type Fields = Readonly<Record<string, unknown>>;

/** The pod as far as the proxy's environment speaks of it. */
export interface EnvironmentFacts {
  readonly annotations: Annotations;
  readonly labels: Annotations;
  /** Without the proxy. */
  readonly apps: readonly Container[];
  readonly context: InjectContext;
}

/** `proxyMetadata` and the webhook's URL, as environment. */
export function metadataEnv(proxyConfig: Fields, { extraEnv }: InjectContext): EnvVar[] {
  const metadata = (proxyConfig["proxyMetadata"] ?? {}) as Record<string, unknown>;
  return Object.entries({ ...metadata, ...extraEnv }).map(([name, value]) => ({ name, value: String(value) }));
}

/** Environment of the proxy that only some pods have. */
export function furtherEnv(facts: EnvironmentFacts): readonly EnvVar[] {
  const { annotations, context } = facts;
  const datadog = annotations["apm.datadoghq.com/env"];
  const attributes = otelAttributes(facts);
  const all: readonly (EnvVar | undefined)[] = [
    context.meshConfig.inboundTrafficPolicy?.mode === "LOCALHOST"
      ? { name: "REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION", value: "true" }
      : undefined,
    annotations["sidecar.istio.io/bootstrapOverride"] === undefined
      ? undefined
      : { name: "ISTIO_BOOTSTRAP_OVERRIDE", value: `${BOOTSTRAP_FOLDER}/custom_bootstrap.json` },
    ...Object.entries(datadog === undefined ? {} : (JSON.parse(datadog) as Record<string, string>)).map(
      ([name, value]) => ({ name, value }),
    ),
    attributes === undefined ? undefined : { name: "OTEL_RESOURCE_ATTRIBUTES", value: attributes },
  ];
  return all.filter((entry) => entry !== undefined);
}

const BOOTSTRAP_FOLDER = "/etc/istio/custom-bootstrap";
const RESOURCE = "resource.opentelemetry.io/";

/** Attributes of spans by OpenTelemetry's conventions, when a provider of the mesh asks for them. */
function otelAttributes({ annotations, labels, apps, context }: EnvironmentFacts): string | undefined {
  const providers = context.meshConfig.extensionProviders ?? [];
  const isAsked = providers.some(
    ({ opentelemetry }) =>
      (opentelemetry as Fields | undefined)?.["serviceAttributeEnrichment"] === "OTEL_SEMANTIC_CONVENTIONS",
  );
  if (!isAsked) return undefined;
  const [app, more] = apps;
  const image = more === undefined ? versionOf(app?.image ?? "") : undefined;
  const instance = app === undefined ? undefined : `${context.namespace}.$(POD_NAME).${app.name}`;
  const attributes: readonly (readonly [string, string | undefined])[] = [
    ["service.namespace", context.namespace],
    ["service.version", labels["app.kubernetes.io/version"] ?? image],
    ["service.instance.id", instance],
  ];
  return attributes
    .map(([name, fallback]) => [name, annotations[RESOURCE + name] ?? fallback])
    .flatMap(([name, value]) => (value === undefined || value === "" ? [] : [`${name}=${value}`]))
    .join(",");
}

/** Tag and digest of an image, as `tag@digest`. */
function versionOf(image: string): string | undefined {
  const [, tag, digest] = /^[^@]*?(?::([^/:@]+))?(?:@(.+))?$/.exec(image) ?? [];
  return [tag, digest].filter((part) => part !== undefined).join("@") || undefined;
}

/** Volumes and mounts that annotations ask for, keyed by name in JSON. */
export function annotatedVolumes(annotations: Annotations): {
  readonly volumes: unknown[];
  readonly mounts: unknown[];
} {
  const entries = (name: string): [string, Fields][] =>
    Object.entries(JSON.parse(annotations[`sidecar.istio.io/${name}`] ?? "{}") as Record<string, Fields>);
  const named = (list: [string, Fields][]): unknown[] => list.map(([name, value]) => ({ name, ...value }));
  const bootstrap = annotations["sidecar.istio.io/bootstrapOverride"];
  const volume = "custom-bootstrap-volume";
  return {
    volumes: [
      ...(bootstrap === undefined ? [] : [{ name: volume, configMap: { name: bootstrap } }]),
      ...named(entries("userVolume")),
    ],
    mounts: [
      ...(bootstrap === undefined ? [] : [{ name: volume, mountPath: BOOTSTRAP_FOLDER }]),
      ...named(entries("userVolumeMount")),
    ],
  };
}
