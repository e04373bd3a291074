import jsonPatch from "fast-json-patch";
import type { JsonObject } from "./json.ts";
import { asArray, clone, isObject } from "./json.ts";
import type { Schema } from "./schema.ts";
import { badRequest, StatusError, unsupportedMediaType } from "./status.ts";
import { strategicMerge } from "./strategic.ts";

/** The patch types by their content type; apply is handled by the write path itself. */
export const patchTypes = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

const maxOperations = 10_000;

/** Applies a patch to a copy of an object. Throws 400, 415, or 422 when a JSON patch does not fit. */
export function applyPatch(original: JsonObject, patch: unknown, type: string, schema: Schema | undefined): JsonObject {
  switch (type) {
    case patchTypes.json:
      return jsonPatched(original, patch);
    case patchTypes.merge: {
      if (!isObject(patch)) throw badRequest("a merge patch must be an object");
      return mergePatched(original, patch) as JsonObject;
    }
    case patchTypes.strategic: {
      if (!isObject(patch)) throw badRequest("a strategic merge patch must be an object");
      return (strategicMerge(original, patch, schema) ?? {}) as JsonObject;
    }
    default:
      throw unsupportedMediaType(
        `the body of the request was in an unknown format - accepted media types include: ${Object.values(patchTypes).join(", ")}`,
      );
  }
}

/** RFC 6902 with Kubernetes' error codes: 400 for what is no patch, 422 for one that does not apply. */
export function jsonPatched(original: JsonObject, patch: unknown): JsonObject {
  if (!Array.isArray(patch)) throw badRequest("json: cannot unmarshal object into Go value of type jsonpatch.Patch");
  if (patch.length > maxOperations)
    throw new StatusError(
      413,
      "RequestEntityTooLarge",
      `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`,
    );
  try {
    const result = jsonPatch.applyPatch(clone(original), asArray(patch) as never, true, true, true);
    return result.newDocument as JsonObject;
  } catch (error) {
    const text = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new StatusError(
      422,
      "Invalid",
      `the server rejected our request due to an error in our request: ${text}`,
      {},
    );
  }
}

/** RFC 7386. */
export function mergePatched(original: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return clone(patch);
  const out: JsonObject = isObject(original) ? clone(original) : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else out[key] = mergePatched(out[key], value);
  }
  return out;
}
