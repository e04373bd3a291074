import type { FieldPath } from "../../diagnostics/finding.ts";
import type { TrafficExtensionWasm, WasmVm } from "../../gen/schema-types.ts";
import type { Report } from "../rule.ts";
import { isGiven } from "./values.ts";

const SCHEMES: ReadonlySet<string> = new Set(["file", "http", "https", "oci"]);

/** What WasmPlugin and TrafficExtension say alike of a module. */
type Module = Pick<TrafficExtensionWasm, "url">;

/** Reports an address of a module that nothing can be fetched from. */
export function checkModuleUrl({ url }: Module, path: FieldPath, report: Report): void {
  const at = [...path, "url"];
  const [, scheme] = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\//.exec(url) ?? [];
  if (scheme !== undefined && !SCHEMES.has(scheme.toLowerCase()))
    report(at, `scheme ${scheme} is not supported`, `Use one of ${[...SCHEMES].join(", ")}.`);
  else if (!URL.canParse(scheme === undefined ? `http://${url}` : url))
    report(at, `"${url}" is no address`, "Write oci://REGISTRY/IMAGE:TAG.");
}

/** Reports environment variables without name, twice, or with a value that is not used. */
export function checkVm(vm: WasmVm | undefined, path: FieldPath, report: Report): void {
  const seen = new Set<string>();
  for (const [index, { name, value, valueFrom }] of (vm?.env ?? []).entries()) {
    const at = [...path, "env", index];
    if (seen.has(name)) report([...at, "name"], `variable ${name} is given twice`, "Remove one of them.");
    seen.add(name);
    if (valueFrom === "HOST" && isGiven(value))
      report([...at, "value"], "with valueFrom HOST the value comes from the proxy's environment", "Remove value.");
  }
}
