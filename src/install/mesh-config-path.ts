import type { Segments } from "../base/field-path.ts";
import { own } from "../base/own.ts";
import { shapes } from "../gen/validators/shapes.ts";

/** What a path below `meshConfig` leads to. */
export interface MeshConfigPlace {
  /** Type of the value: a JSON type, a definition of schemas/, `[]T`, `{}T`, or `any`. */
  readonly type: string;
}

/** A step that is not there, with the names that are. */
export interface MissingStep {
  /** Index of the step in the path. */
  readonly missing: number;
  readonly names: readonly string[];
}

/** Follows a path below `meshConfig` (its first step left out) through the schema of MeshConfig. */
export function meshConfigPlace(steps: Segments): MeshConfigPlace | MissingStep {
  let type = "MeshConfig";
  for (const [index, step] of steps.entries()) {
    if (type === "any" || type === "object") return { type: "any" };
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
  const parts = type.startsWith("[]") || type.startsWith("{}") || own(shapes, type) !== undefined;
  return !parts && !["any", "object", "array", "boolean", "integer", "number"].includes(type);
}
