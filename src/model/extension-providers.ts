import type { MeshConfig } from "./mesh-config.ts";

type Loose = Readonly<Record<string, unknown>>;

/** An extension provider: its name, its kind (`envoyExtAuthzGrpc`, `zipkin` …), and the settings of that kind. */
export interface ExtensionProvider {
  readonly name: string;
  readonly kind: string;
  readonly settings: Loose;
}

/** Istio's providers that are there without being configured; one of the configuration with such a name takes its place. */
const BUILT_IN: readonly ExtensionProvider[] = [
  { name: "prometheus", kind: "prometheus", settings: {} },
  { name: "stackdriver", kind: "stackdriver", settings: {} },
  { name: "envoy", kind: "envoyFileAccessLog", settings: { path: "/dev/stdout" } },
];

/** The first extension provider of the mesh configuration with this name; undefined: none such. */
export function extensionProvider(config: Pick<MeshConfig, "raw">, name: string): ExtensionProvider | undefined {
  return written(config).find((provider) => provider.name === name);
}

/** The provider that a Telemetry means by a name: also one that is built in; case does not matter. */
export function telemetryProvider(config: Pick<MeshConfig, "raw">, name: string): ExtensionProvider | undefined {
  const wanted = name.toLowerCase();
  const isMeant = (provider: ExtensionProvider): boolean => provider.name.toLowerCase() === wanted;
  const builtIn = BUILT_IN.find(isMeant);
  const meant = builtIn === undefined ? isMeant : (provider: ExtensionProvider) => provider.name === builtIn.name;
  return written(config).find(meant) ?? builtIn;
}

/** The providers of the mesh configuration, in its order. */
export function extensionProviders(config: Pick<MeshConfig, "raw">): readonly ExtensionProvider[] {
  return written(config);
}

export type Signal = "metrics" | "accessLogging" | "tracing";

/** `defaultProviders` of a signal. Metrics go to Prometheus where nothing is said, as Istio's installation has it. */
export function defaultProviders({ raw }: Pick<MeshConfig, "raw">, signal: Signal): readonly string[] {
  const given = isRecord(raw["defaultProviders"]) ? raw["defaultProviders"][signal] : undefined;
  if (Array.isArray(given)) return given.filter((name): name is string => typeof name === "string");
  return signal === "metrics" ? ["prometheus"] : [];
}

/** The host of the `service` (`[NAMESPACE/]HOST`) of a provider's settings, and whose it has to be; undefined: none. */
export function providerService({
  service,
  port,
}: Loose): { readonly host: string; readonly namespace: string | undefined; readonly port: number } | undefined {
  if (typeof service !== "string" || service === "") return undefined;
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  const slash = service.indexOf("/");
  return { host: service.slice(slash + 1), namespace: slash < 0 ? undefined : service.slice(0, slash), port };
}

function written({ raw }: Pick<MeshConfig, "raw">): readonly ExtensionProvider[] {
  const { extensionProviders: list } = raw;
  if (!Array.isArray(list)) return [];
  return (list as unknown[]).filter(isRecord).flatMap((one) => {
    const entry = Object.entries(one).find(([key, value]) => key !== "name" && isRecord(value));
    if (entry === undefined || typeof one["name"] !== "string") return [];
    return [{ name: one["name"], kind: entry[0], settings: entry[1] as Loose }];
  });
}

function isRecord(value: unknown): value is Loose {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
