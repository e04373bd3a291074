import { pathText } from "../base/field-path.ts";
import { codes } from "../diagnostics/codes.ts";
import { effectAdvice, fieldsWithoutEffect } from "../model/effects.ts";
import type { MeshConfig } from "../model/mesh-config.ts";
import type { TelemetrySpec } from "../model/telemetry.ts";
import { providerProblem, type ProviderProblem, providerUses } from "../model/telemetry-providers.ts";
import type { KubeObject } from "../resources/object.ts";
import { validateForAdmission } from "../validation/index.ts";
import type { AdmissionAnswer, AdmissionRequest } from "./webhook.ts";

/**
 * The validating webhook's say about a write: refused when the object is invalid; else allowed, with one warning that names
 * every field which has no effect yet, and one for each provider that a Telemetry names in vain (it may be defined later, so it is no
 * reason to refuse). A deletion is always allowed. Writes nothing, so a dry run is as good as a real one.
 */
export function admit(request: AdmissionRequest, config: Pick<MeshConfig, "raw">): AdmissionAnswer {
  const { object, operation } = request;
  if (object === undefined || object === null || operation === "DELETE") return { allowed: true };
  const complete = completed(object, request);
  const verdict = validateForAdmission(complete);
  if (!verdict.allowed) return verdict;
  const paths = fieldsWithoutEffect(complete);
  const more = providerWarnings(complete, config);
  if (paths.length > 0) {
    const { problem, hint } = effectAdvice(paths);
    more.push(`${problem}. ${hint}`);
  }
  return more.length === 0 ? verdict : { ...verdict, warnings: [...verdict.warnings, ...more] };
}

function providerWarnings({ kind, spec }: KubeObject, config: Pick<MeshConfig, "raw">): string[] {
  if (kind !== "Telemetry") return [];
  return providerUses(spec as TelemetrySpec | undefined).flatMap((use) => {
    const problem = providerProblem(config, use);
    return problem === undefined ? [] : [`${pathText(use.path)}: ${wordsOf(problem)}`];
  });
}

/** Words of the codes that `analyze` reports. */
function wordsOf(problem: ProviderProblem): string {
  return problem.code === "MSH0800"
    ? `${codes.MSH0800.message(problem.args)}. ${codes.MSH0800.hint(problem.args) ?? ""}`
    : `${codes.MSH0801.message(problem.args)}. ${codes.MSH0801.hint(problem.args) ?? ""}`;
}

/** A name that the API server will make has the form `PREFIX-xxxxx`; the namespace may stand in the request alone. */
function completed(object: KubeObject, { name, namespace }: AdmissionRequest): KubeObject {
  const { metadata } = object;
  const made = metadata.generateName === undefined ? "" : `${metadata.generateName}xxxxx`;
  const own = metadata.namespace ?? namespace;
  return {
    ...object,
    metadata: {
      ...metadata,
      name: (metadata.name as string | undefined) ?? ((name ?? "") === "" ? made : (name ?? "")),
      ...(own === undefined || own === "" ? {} : { namespace: own }),
    },
  };
}
