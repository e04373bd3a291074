import type { FieldPath } from "../../diagnostics/finding.ts";
import type { TrafficExtensionWasm, TrafficMatch, WasmVm } from "../../gen/schema-types.ts";
import type { Report } from "../rule.ts";
import { isGiven } from "./values.ts";

const SCHEMES: ReadonlySet<string> = new Set(["file", "http", "https", "oci"]);

/** What WasmPlugin and TrafficExtension say alike of a module. */
type Module = Pick<TrafficExtensionWasm, "url" | "sha256" | "imagePullSecret" | "pluginName" | "vmConfig">;

/** Reports an address of a module that nothing can be fetched from. */
export function checkModuleUrl({ url }: Module, path: FieldPath, report: Report): void {
  const at = [...path, "url"];
  if (url === "") return report(at, "the address of the module is missing", "Write oci://REGISTRY/IMAGE:TAG.");
  const [, scheme] = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\//.exec(url) ?? [];
  if (scheme !== undefined && !SCHEMES.has(scheme.toLowerCase()))
    report(at, `scheme ${scheme} is not supported`, `Use one of ${[...SCHEMES].join(", ")}.`);
  else if (!URL.canParse(scheme === undefined ? `http://${url}` : url))
    report(at, `"${url}" is no address`, "Write oci://REGISTRY/IMAGE:TAG.");
}

/** Reports a checksum that is none, and names that are too long. */
export function checkModule(module: Module, path: FieldPath, report: Report): void {
  const { sha256, imagePullSecret = "", pluginName = "" } = module;
  if (isGiven(sha256) && !/^[a-f0-9]{64}$/.test(sha256))
    report(
      [...path, "sha256"],
      `expected 64 lower-case hex digits, got "${sha256}"`,
      "Write the checksum of the module.",
    );
  if (imagePullSecret.length > 253) report([...path, "imagePullSecret"], "a name of more than 253 characters");
  if (pluginName.length > 256) report([...path, "pluginName"], "a name of more than 256 characters");
}

/** Reports environment variables without name, twice, or with a value that is not used. */
export function checkVm(vm: WasmVm | undefined, path: FieldPath, report: Report): void {
  const seen = new Set<string>();
  for (const [index, { name, value, valueFrom }] of (vm?.env ?? []).entries()) {
    const at = [...path, "env", index];
    if (name === "" || name.length > 256) report([...at, "name"], "expected a name of 1 to 256 characters");
    else if (seen.has(name)) report([...at, "name"], `variable ${name} is given twice`, "Remove one of them.");
    seen.add(name);
    if (valueFrom === "HOST" && isGiven(value))
      report([...at, "value"], "with valueFrom HOST the value comes from the proxy's environment", "Remove value.");
  }
}

/** Reports ports that are none. */
export function checkTraffic(match: readonly TrafficMatch[] | undefined, report: Report): void {
  for (const [index, { ports = [] }] of (match ?? []).entries())
    for (const [place, { number }] of ports.entries())
      if (number < 1 || number > 65535)
        report(["match", index, "ports", place, "number"], `expected a port from 1 to 65535, got ${number}`);
}
