import type { Segments } from "../base/field-path.ts";

/** A step of a `--set` path: a member, an index, or the item of a list whose member `key` is `value`. */
export type SetStep = string | number | { readonly key: string; readonly value: string };

/** `.name`, `name` with `\.` for a dot in it, `[0]`, `[name:value]`, `["any.text"]`. */
const STEP = /^(?:(\.?)((?:[^.[\]\\="]|\\.)+)|\[(\d+)\]|\["([^"]+)"\]|\[([^:\]"]+):([^\]]+)\])/;

/** The steps of a path as `--set` takes it, or undefined when it is none. */
export function parseSetPath(text: string): readonly SetStep[] | undefined {
  const steps: SetStep[] = [];
  let rest = text;
  while (rest !== "") {
    const match = STEP.exec(rest);
    if (match === null) return undefined;
    const [all, dot, name, index, quoted, key, value] = match;
    // a name stands first or behind a dot
    if (name !== undefined && (steps.length === 0) === (dot === ".")) return undefined;
    if (name !== undefined) steps.push(name.replaceAll(/\\(.)/g, "$1"));
    else if (index !== undefined) steps.push(Number(index));
    else if (quoted !== undefined) steps.push(quoted);
    else if (key !== undefined && value !== undefined) steps.push({ key, value });
    rest = rest.slice(all.length);
  }
  return steps.length === 0 ? undefined : steps;
}

/** Where the `=` of a `--set` line stands: the first that is in no brackets and not escaped; -1 without one. */
export function equalsAt(line: string): number {
  const found = /^(?:[^=[\]\\]|\\.|\[[^\]]*\])*=/.exec(line);
  return found === null ? -1 : found[0].length - 1;
}

/** The steps with items found by name as indexes into `data`; an item that is not there comes after the last. */
export function resolveSteps(steps: readonly SetStep[], data: unknown): Segments {
  const segments: (string | number)[] = [];
  let at: unknown = data;
  for (const step of steps) {
    const segment = typeof step === "object" ? indexOf(at, step) : step;
    segments.push(segment);
    at = typeof at === "object" && at !== null ? (at as Readonly<Record<string, unknown>>)[segment] : undefined;
  }
  return segments;
}

function indexOf(list: unknown, { key, value }: { readonly key: string; readonly value: string }): number {
  if (!Array.isArray(list)) return 0;
  const found = list.findIndex((item) => String((item as Readonly<Record<string, unknown>> | null)?.[key]) === value);
  return found < 0 ? list.length : found;
}
