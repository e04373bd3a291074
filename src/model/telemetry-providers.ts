import type { MeshConfig } from "./mesh-config.ts";
import { extensionProviders, type Signal, telemetryProvider } from "./extension-providers.ts";
import type { TelemetrySpec } from "./telemetry.ts";

/** A place where a Telemetry names a provider. */
export interface ProviderUse {
  readonly signal: Signal;
  readonly name: string;
  readonly path: readonly (string | number)[];
}

const SIGNALS: readonly Signal[] = ["metrics", "tracing", "accessLogging"];

/** Kinds of providers that take a signal. */
const KINDS: Readonly<Record<Signal, readonly string[]>> = {
  metrics: ["prometheus"],
  tracing: ["opentelemetry", "zipkin", "datadog", "skywalking"],
  accessLogging: ["envoyFileAccessLog", "envoyOtelAls", "envoyHttpAls", "envoyTcpAls"],
};

const WORDS: Readonly<Record<Signal, string>> = { metrics: "metrics", tracing: "spans", accessLogging: "access logs" };

/** Every provider that a Telemetry names, in its order. */
export function providerUses(spec: TelemetrySpec | undefined): readonly ProviderUse[] {
  return SIGNALS.flatMap((signal) =>
    (spec?.[signal] ?? []).flatMap(({ providers = [] }, index) =>
      providers.map(({ name }, position) => ({
        signal,
        name,
        path: ["spec", signal, index, "providers", position, "name"],
      })),
    ),
  );
}

/** What is wrong with a name by the mesh configuration alone, as values of the codes that say it. */
export type ProviderProblem =
  | { readonly code: "MSH0800"; readonly args: { readonly provider: string; readonly known: string } }
  | { readonly code: "MSH0801"; readonly args: ReturnType<typeof unfit> };

/** Undefined: it is defined, and of a kind that takes the signal. */
export function providerProblem(config: Pick<MeshConfig, "raw">, use: ProviderUse): ProviderProblem | undefined {
  const provider = telemetryProvider(config, use.name);
  if (provider === undefined) {
    const known = extensionProviders(config).map((one) => one.name);
    return { code: "MSH0800", args: { provider: use.name, known: known.join(", ") } };
  }
  if (KINDS[use.signal].includes(provider.kind)) return undefined;
  return { code: "MSH0801", args: unfit(use, provider.name, `it is of kind ${provider.kind}`) };
}

/** Values of MSH0801, of a provider that gets nothing of what it is named for. */
export function unfit(
  { signal }: Pick<ProviderUse, "signal">,
  provider: string,
  why: string,
): { readonly provider: string; readonly what: string; readonly why: string } {
  return { provider, what: WORDS[signal], why };
}
