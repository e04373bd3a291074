import { parsePath, valueAt } from "./field-path.ts";

/**
 * Templates are plain data with holes; filling them runs no code. `"${a.b}"` alone takes the value at that path with its type,
 * inside other text its words; `${a.b ?? c}` takes the first that is defined; a key or item whose value comes out undefined is
 * left out. `$when: path` (or `!path`) in an object keeps it only while that value is truthy. `{ $splice: "${path}" }` in a list
 * puts the items of a list in its place. Throws TemplateError for a path that cannot be read.
 */
export function fillTemplate(template: unknown, data: unknown): unknown {
  if (typeof template === "string") return fillText(template, data);
  if (Array.isArray(template)) return template.flatMap((item) => fillItem(item, data));
  if (typeof template !== "object" || template === null) return template;
  const { $when, ...rest } = template as Record<string, unknown>;
  if ($when !== undefined && !holds($when, data)) return undefined;
  const filled: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(rest)) {
    const result = fillTemplate(value, data);
    if (result !== undefined) filled[key] = result;
  }
  return filled;
}

/** A template that cannot be filled: the text says which hole. */
export class TemplateError extends Error {}

function fillItem(item: unknown, data: unknown): unknown[] {
  if (typeof item === "object" && item !== null && "$splice" in item) {
    const items = fillTemplate(item.$splice, data);
    if (items === undefined) return [];
    if (!Array.isArray(items)) throw new TemplateError(`$splice: ${String(item.$splice)} is not a list`);
    return items as unknown[];
  }
  const result = fillTemplate(item, data);
  return result === undefined ? [] : [result];
}

function fillText(text: string, data: unknown): unknown {
  const whole = /^\$\{([^{}]*)\}$/.exec(text);
  if (whole !== null) return lookUp(whole[1] ?? "", data);
  return text.replace(/\$\{([^{}]*)\}/g, (_, hole: string) => wordsOf(lookUp(hole, data), hole));
}

function wordsOf(value: unknown, hole: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return String(value);
  throw new TemplateError(`\${${hole}} is no text: it can only stand alone`);
}

function holds(condition: unknown, data: unknown): boolean {
  if (typeof condition !== "string") throw new TemplateError("$when needs a path");
  const negated = condition.startsWith("!");
  return Boolean(lookUp(negated ? condition.slice(1) : condition, data)) !== negated;
}

function lookUp(hole: string, data: unknown): unknown {
  for (const alternative of hole.split("??")) {
    const path = parsePath(alternative.trim());
    if (path === undefined) throw new TemplateError(`\${${hole}} is not a path`);
    const value = valueAt(data, path);
    if (value !== undefined && value !== null) return value;
  }
  return undefined;
}
