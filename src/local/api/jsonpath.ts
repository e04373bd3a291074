import { asArray, isObject } from "./json.ts";

type Step =
  | { readonly type: "field"; readonly name: string }
  | { readonly type: "index"; readonly index: number }
  | { readonly type: "all" }
  | { readonly type: "filter"; readonly path: readonly Step[]; readonly value: string; readonly negated: boolean };

const token =
  /\.([A-Za-z0-9_\-/\uE000]+)|\[(\d+)\]|\[\*\]|\['([^']+)'\]|\["([^"]+)"\]|\[\?\(@([^=!)]+)(==|!=)["']?([^"')]*)["']?\)\]/gy;

/** Reads the JSONPath forms that printer columns use: fields, `[0]`, `[*]`, `['a.b']`, `[?(@.type=="Ready")]`. */
function parsePath(text: string): Step[] {
  const path = text.replaceAll("\\.", "\uE000");
  const steps: Step[] = [];
  for (const match of path.matchAll(token)) {
    const [whole, field, index, single, double, inner, operator, value] = match;
    const name = field ?? single ?? double;
    if (name !== undefined) steps.push({ type: "field", name: name.replaceAll("\uE000", ".") });
    else if (index !== undefined) steps.push({ type: "index", index: Number(index) });
    else if (whole === "[*]") steps.push({ type: "all" });
    else steps.push({ type: "filter", path: parsePath(inner ?? ""), value: value ?? "", negated: operator === "!=" });
  }
  return steps;
}

const parsed = new Map<string, Step[]>();

/** All values at a path; none when something on the way is missing. */
export function valuesAt(value: unknown, path: string): unknown[] {
  let steps = parsed.get(path);
  if (steps === undefined) {
    steps = parsePath(path.startsWith(".") || path.startsWith("[") ? path : `.${path}`);
    parsed.set(path, steps);
  }
  return walk([value], steps);
}

function walk(values: readonly unknown[], steps: readonly Step[]): unknown[] {
  let current = [...values];
  for (const step of steps) current = current.flatMap((value) => next(value, step));
  return current;
}

function next(value: unknown, step: Step): unknown[] {
  switch (step.type) {
    case "field":
      return isObject(value) && value[step.name] !== undefined ? [value[step.name]] : [];
    case "index":
      return asArray(value).slice(step.index, step.index + 1);
    case "all":
      return isObject(value) ? Object.values(value) : asArray(value);
    case "filter":
      return asArray(value).filter((item) => {
        const found = walk([item], step.path)[0];
        return (String(found) === step.value) !== step.negated;
      });
  }
}
