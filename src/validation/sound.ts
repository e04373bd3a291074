import { withoutNulls } from "../base/nulls.ts";
import type { FieldPath, Finding } from "../diagnostics/finding.ts";
import { specValidators } from "../gen/validators/index.ts";
import { kindOf } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import { kubernetesFindings } from "./kubernetes.ts";
import { isAboutRule, schemaFindings } from "./schema.ts";

/**
 * The object with every part left out that has not the shape of its kind, unknown fields too, so that readers of files may trust the types as
 * readers of a cluster do (there the API server holds them). What is wrong has been reported by validateObject.
 */
export function soundObject(object: KubeObject): KubeObject {
  let sound = withoutNulls(object);
  // taking out a part can leave a parent without something it needs: again, until nothing is wrong
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const broken = [...kubernetesFindings(sound), ...specFindings(sound)].map(({ path }) => path);
    if (broken.length === 0) return sound;
    for (const path of broken) sound = without(sound, fieldOf(path)) as KubeObject;
  }
  const { spec: _spec, ...rest } = sound;
  return rest as KubeObject;
}

const MAX_ROUNDS = 8;

function specFindings(object: KubeObject): readonly Finding[] {
  const kind = kindOf(object);
  if (kind === undefined || specValidators[kind] === undefined) return [];
  return schemaFindings(kind, object).filter((found) => !isAboutRule(found));
}

/** The field that holds a list item: lists go as a whole, so that the indexes of others stay those of the source. */
function fieldOf(path: FieldPath): FieldPath {
  return path.slice(0, path.findLastIndex((step) => typeof step === "string") + 1);
}

/** A copy without the value at a path; a path that is not there changes nothing. */
function without(value: unknown, [step, ...rest]: FieldPath): unknown {
  if (step === undefined || typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return value;
  if (Array.isArray(value))
    return (value as readonly unknown[]).map((item, index) => (index === step ? without(item, rest) : item));
  const record = value as Readonly<Record<string, unknown>>;
  if (rest.length > 0) return { ...record, [step]: without(record[step], rest) };
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== String(step)));
}
