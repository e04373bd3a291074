import type { Segments } from "../base/field-path.ts";
import { own } from "../base/own.ts";
import { shapes } from "../gen/validators/shapes.ts";

/** What a path of settings leads to. */
export interface SchemaPlace {
  /** Type of the value: a JSON type, a definition of schemas/, `[]T`, `{}T`, or `any`. */
  readonly type: string;
}

/** A step that is not there, with the names that are. */
export interface MissingStep {
  /** Index of the step in the path. */
  readonly missing: number;
  readonly names: readonly string[];
}

/** Follows a path through the schema of IstioOperator (schemas/istio-operator.schema.json). */
export function schemaPlace(steps: Segments): SchemaPlace | MissingStep {
  let type = "IstioOperator";
  for (const [index, step] of steps.entries()) {
    if (type === "any" || type === "object") return { type: "any" };
    if (type.startsWith("[]") && typeof step !== "number") return { missing: index, names: ["[0]", "[name:NAME]"] };
    if (type.startsWith("[]") || type.startsWith("{}")) {
      type = type.slice(2);
      continue;
    }
    const fields = own(shapes, type) ?? {};
    const next = own(fields, String(step));
    if (next === undefined) return { missing: index, names: Object.keys(fields) };
    type = next;
  }
  return { type };
}

/** Whether values of a type are text: `string`, and definitions that are no maps, such as durations. */
export function isTextType(type: string): boolean {
  return !isGroupType(type) && !["any", "boolean", "integer", "number"].includes(type);
}

/** Whether a type is a map or a list of its own. */
export function isGroupType(type: string): boolean {
  const isDefined = own(shapes, type) !== undefined;
  return type.startsWith("[]") || type.startsWith("{}") || ["object", "array"].includes(type) || isDefined;
}
