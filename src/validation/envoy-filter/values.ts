import { absentFrom } from "../../base/absent-extensions.ts";
import type { FieldPath } from "../../diagnostics/finding.ts";
import { type EnvoyFilterRules, eachPatch } from "./parts.ts";

/** Rules about the Envoy objects in patches. */
export const valueRules: EnvoyFilterRules = [
  {
    name: "envoy-filter-type",
    holds: "Types are names, of Envoy's API version 3.",
    severity: "error",
    check: (spec, report) =>
      eachPatch(spec, ({ patch }, path) =>
        eachType(patch?.value, [...path, "patch", "value"], (type, at) => {
          if (typeof type !== "string" || !/^(?:[^/]*\/)?[\w.]+$/.test(type))
            report(
              at,
              `expected type.googleapis.com/NAME, got ${JSON.stringify(type)}`,
              "Write the full name of the type.",
            );
          else if (/\.v2(?:alpha\d*|beta\d*)?\./.test(type) && !type.includes(".v3."))
            report(at, `${type} is of Envoy's API version 2, which no proxy knows`, "Use the type of version 3.");
        }),
      ),
  },
  {
    name: "envoy-filter-absent",
    holds: "The proxy's Envoy has the extension.",
    severity: "warning",
    check: (spec, report) =>
      eachPatch(spec, ({ patch }, path) =>
        eachType(patch?.value, [...path, "patch", "value"], (type, at) => {
          const build = typeof type === "string" ? absentFrom(type) : undefined;
          if (build !== undefined)
            report(
              at,
              `accepted, has no effect: the proxy's Envoy has no ${String(type)}, which is of ${build}`,
              "Use an extension that it has, or a WasmPlugin.",
            );
        }),
      ),
  },
  {
    name: "envoy-filter-typed-config",
    holds: "A filter that is added says its settings by type, not by its name alone.",
    severity: "warning",
    check: (spec, report) =>
      eachPatch(spec, ({ applyTo = "", patch }, path) => {
        const { operation = "", value } = patch ?? {};
        const isFilter = applyTo.endsWith("_FILTER") || applyTo === "EXTENSION_CONFIG";
        if (!isFilter || value === undefined || operation === "REMOVE" || operation.startsWith("MERGE")) return;
        const known = ["typed_config", "typedConfig", "config_discovery", "configDiscovery"];
        if (!known.some((field) => value[field] !== undefined))
          report(
            [...path, "patch", "value"],
            "typed_config is missing: filters are not found by name alone",
            "Add typed_config with @type.",
          );
      }),
  },
];

/** Visits each `@type` in plain data. */
function eachType(value: unknown, path: FieldPath, visit: (type: unknown, path: FieldPath) => void): void {
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    const at = [...path, Array.isArray(value) ? Number(name) : name];
    if (name === "@type" || (name === "type_url" && "value" in value)) visit(member, at);
    else eachType(member, at, visit);
  }
}
