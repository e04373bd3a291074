import { effectAdvice, fieldsWithoutEffect } from "../model/effects.ts";
import type { KubeObject } from "../resources/object.ts";
import { validateForAdmission } from "../validation/index.ts";
import type { AdmissionAnswer, AdmissionRequest } from "./webhook.ts";

/**
 * The validating webhook's say about a write: refused when the object is invalid; else allowed, with one warning more that
 * names every field which has no effect yet. A deletion is always allowed. Writes nothing, so a dry run is as good as a
 * real one.
 */
export function admit(request: AdmissionRequest): AdmissionAnswer {
  const { object, operation } = request;
  if (object === undefined || object === null || operation === "DELETE") return { allowed: true };
  const complete = completed(object, request);
  const verdict = validateForAdmission(complete);
  const paths = verdict.allowed ? fieldsWithoutEffect(complete) : [];
  if (paths.length === 0) return verdict;
  const { problem, hint } = effectAdvice(paths);
  return { ...verdict, warnings: [...verdict.warnings, `${problem}. ${hint}`] };
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
