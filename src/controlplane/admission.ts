import { effectAdvice, fieldsWithoutEffect } from "../model/effects.ts";
import type { KubeObject } from "../resources/object.ts";
import { validateForAdmission } from "../validation/index.ts";
import type { AdmissionAnswer } from "./webhook.ts";

/**
 * The validating webhook's say about an object: refused when it is invalid; else allowed, with one warning more that names
 * every field which has no effect yet. `undefined`: a deletion.
 */
export function admit(object: KubeObject | null | undefined): AdmissionAnswer {
  if (object === undefined || object === null) return { allowed: true };
  const verdict = validateForAdmission(object);
  const paths = verdict.allowed ? fieldsWithoutEffect(object) : [];
  if (paths.length === 0) return verdict;
  const { problem, hint } = effectAdvice(object, paths);
  return { ...verdict, warnings: [...verdict.warnings, `${problem}. ${hint}`] };
}
