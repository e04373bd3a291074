import type { TrafficExtensionSpec, WasmPluginSpec } from "../gen/schema-types.ts";
import type { Rules } from "./rule.ts";
import { targetRules } from "./shared/targets.ts";
import { checkModuleUrl, checkVm } from "./shared/wasm.ts";

/** Rules of WasmPlugin. */
export const wasmPluginRules: Rules<WasmPluginSpec> = [
  ...targetRules<WasmPluginSpec>("wasm-plugin"),
  {
    name: "wasm-plugin-url",
    holds: "The module comes from oci, http, https or file.",
    severity: "error",
    check: (spec, report) => checkModuleUrl(spec, [], report),
  },
  {
    name: "wasm-plugin-environment",
    holds: "Environment variables have names, each once; HOST takes no value.",
    severity: "error",
    check: (spec, report) => checkVm(spec.vmConfig, ["vmConfig"], report),
  },
];

/** Rules of TrafficExtension. */
export const trafficExtensionRules: Rules<TrafficExtensionSpec> = [
  ...targetRules<TrafficExtensionSpec>("traffic-extension"),
  {
    name: "traffic-extension-kind",
    holds: "There is exactly one of wasm and lua.",
    severity: "error",
    check: ({ wasm, lua }, report) => {
      if (wasm === undefined && lua === undefined) report([], "expected wasm or lua", "Add one.");
      if (wasm !== undefined && lua !== undefined)
        report(["lua"], "wasm and lua exclude each other", "Keep one of them.");
    },
  },
  {
    name: "traffic-extension-url",
    holds: "The module comes from oci, http, https or file.",
    severity: "error",
    check: ({ wasm }, report) => {
      if (wasm !== undefined) checkModuleUrl(wasm, ["wasm"], report);
    },
  },
  {
    name: "traffic-extension-environment",
    holds: "Environment variables have names, each once; HOST takes no value.",
    severity: "error",
    check: ({ wasm }, report) => checkVm(wasm?.vmConfig, ["wasm", "vmConfig"], report),
  },
];
