import { namedSelector } from "../../model/selectors.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/**
 * Access logging without a provider logs nowhere. Providers come from the Telemetry itself, from a wider one (its namespace's,
 * the root namespace's), or from defaultProviders of the mesh. Lightstep is gone from Istio in favour of OpenTelemetry.
 */
export const telemetryProvider = defineAnalyzer({
  name: "telemetry-provider",
  summary: "Checks that Telemetries name providers that log and that are not deprecated.",
  reads: ["Telemetry", "ConfigMap"],
  codes: ["IST0002", "IST0157"],
  analyze: (input) => {
    const { raw } = input.model.meshConfig();
    const defaults = (raw["defaultProviders"] as { accessLogging?: unknown } | undefined)?.accessLogging;
    const hasDefault = Array.isArray(defaults) && defaults.length > 0;
    const lightstep = lightstepProviders(raw["extensionProviders"]);
    for (const object of input.world.list("Telemetry")) {
      if (!hasDefault) checkLogging(input, object);
      if (lightstep.size > 0) checkTracing(input, object, lightstep);
    }
  },
});

type Telemetry = KindTypes["Telemetry"];
type Input = AnalyzerInput<"Telemetry" | "ConfigMap", "IST0002" | "IST0157">;

function checkLogging(input: Input, object: Telemetry): void {
  for (const [index, { providers = [], disabled }] of (object.spec?.accessLogging ?? []).entries()) {
    if (providers.length > 0 || disabled === true || inheritsProvider(input, object)) continue;
    const { name, namespace = "" } = object.metadata;
    input.report(object, ["spec", "accessLogging", index], "IST0157", { name, namespace });
  }
}

/** Whether a wider Telemetry says where to log. */
function inheritsProvider({ world, model }: Input, object: Telemetry): boolean {
  const { namespace = "" } = object.metadata;
  return [namespace, model.rootNamespace].some((place) =>
    world
      .list("Telemetry", place)
      .some(
        (other) =>
          other !== object &&
          namedSelector(other.spec?.selector?.matchLabels) === undefined &&
          (other.spec?.targetRefs ?? []).length === 0 &&
          (other.spec?.accessLogging ?? []).some(({ providers = [] }) => providers.length > 0),
      ),
  );
}

function checkTracing({ report }: Input, object: Telemetry, lightstep: ReadonlySet<string>): void {
  for (const [index, { providers = [] }] of (object.spec?.tracing ?? []).entries())
    for (const [position, { name }] of providers.entries())
      if (lightstep.has(name))
        report(object, ["spec", "tracing", index, "providers", position], "IST0002", {
          kind: "Telemetry",
          field: `provider ${name} (lightstep)`,
          instead: "Use a provider of kind opentelemetry.",
        });
}

function lightstepProviders(providers: unknown): ReadonlySet<string> {
  const list: readonly unknown[] = Array.isArray(providers) ? providers : [];
  return new Set(
    list.flatMap((provider) => {
      const { name, lightstep } = (provider ?? {}) as { readonly name?: unknown; readonly lightstep?: unknown };
      return typeof name === "string" && lightstep !== undefined ? [name] : [];
    }),
  );
}
