import { sameContent } from "../base/equal.ts";
import type { FieldPath } from "../diagnostics/finding.ts";
import { readCommon, UNCOMMON } from "./yaml-common.ts";
import { commonSplice } from "./yaml-common-splice.ts";
import type { YamlChange } from "./yaml-change.ts";
import { YamlEditError } from "./yaml-edit-error.ts";
import { toYaml } from "./yaml-plain.ts";
import { parsePrecise } from "./yaml-positions.ts";
import { type Splice, spliceOf } from "./yaml-splice.ts";
import { readValues, YamlSyntaxError } from "./yaml-values.ts";

/** A document with another value in it. `kept`: every byte that the change does not touch is as it was. */
export interface Rewritten {
  readonly text: string;
  readonly kept: boolean;
}

/**
 * The text of one document with `after` as its value, where it had `before`: comments, order and style of all that stays are kept,
 * by one reading for all changes. Lists whose items have names of their own are compared by them. Where the text cannot be edited
 * (aliases, keys without colons) it is written anew. The result is read back and is `after`.
 */
export function rewriteYaml(text: string, before: unknown, after: unknown): Rewritten {
  const changes = changesBetween(before, after, []);
  if (changes.length === 0) return { text, kept: true };
  for (const splicesOf of [commonSplices, preciseSplices]) {
    const edited = attempted(() => spliced(text, splicesOf(text, changes)));
    if (edited !== undefined && isRead(edited.value, after)) return { text: edited.text, kept: true };
  }
  return { text: toYaml(after), kept: false };
}

/** A text with what it is read as; undefined when that cannot be. */
function attempted(edit: () => string): { readonly text: string; readonly value: unknown } | undefined {
  try {
    const text = edit();
    return { text, value: valueOf(text) };
  } catch (error) {
    if (error instanceof YamlEditError || error instanceof YamlSyntaxError) return undefined;
    throw error;
  }
}

function valueOf(text: string): unknown {
  const value = readCommon(text);
  return value === UNCOMMON ? readValues(text)[0] : value;
}

/** Whether that is the value wanted; members that are undefined are not written. */
function isRead(read: unknown, wanted: unknown): boolean {
  return sameContent(read, wanted) || sameContent(read, JSON.parse(JSON.stringify(wanted)));
}

type Change = YamlChange & { readonly path: FieldPath };

/** What turns one value into another; indexes of lists are those of `before`. */
export function changesBetween(before: unknown, after: unknown, path: FieldPath): readonly Change[] {
  if (Object.is(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after)) return listChanges(before, after, path);
  if (!isMap(before) || !isMap(after)) return sameContent(before, after) ? [] : [set(path, after)];
  const gone = Object.keys(before).filter((key) => after[key] === undefined);
  if (gone.length === Object.keys(before).length)
    return Object.keys(after).length + gone.length === 0 ? [] : [set(path, after)];
  return [
    ...gone.map((key): Change => ({ type: "delete", path: [...path, key] })),
    ...Object.entries(after).flatMap(([key, value]) =>
      value === undefined
        ? []
        : key in before
          ? changesBetween(before[key], value, [...path, key])
          : [set([...path, key], value)],
    ),
  ];
}

function listChanges(before: readonly unknown[], after: readonly unknown[], path: FieldPath): readonly Change[] {
  if (sameContent(before, after)) return [];
  const [old, now] = [namesOf(before), namesOf(after)];
  if (old !== undefined && now !== undefined && keepsOrder(old, now)) {
    const gone = [...old.keys()].filter((index) => !now.includes(old[index] ?? ""));
    return [
      ...gone.map((index): Change => ({ type: "delete", path: [...path, index] })),
      ...itemChanges({ before, old }, { after, now }, path),
    ];
  }
  if (before.length !== after.length) return [set(path, after)];
  return before.flatMap((item, index) => changesBetween(item, after[index], [...path, index]));
}

/** Whether some items stay, in their order. */
function keepsOrder(old: readonly string[], now: readonly string[]): boolean {
  const kept = now.filter((name) => old.includes(name));
  const were = old.filter((name) => now.includes(name));
  return kept.length > 0 && kept.every((name, index) => name === were[index]);
}

/** Items that are new, each before the next one that was there already, and changes inside of the others. */
function itemChanges(
  { before, old }: { readonly before: readonly unknown[]; readonly old: readonly string[] },
  { after, now }: { readonly after: readonly unknown[]; readonly now: readonly string[] },
  path: FieldPath,
): readonly Change[] {
  let next = 0;
  return now.flatMap((name, index): readonly Change[] => {
    const at = old.indexOf(name);
    if (at === -1) return [{ type: "insert", path: [...path, next], value: after[index] }];
    next = at + 1;
    return changesBetween(before[at], after[index], [...path, at]);
  });
}

/** Names of the items, when each has one of its own. */
function namesOf(list: readonly unknown[]): readonly string[] | undefined {
  const names = list.map((item) => (isMap(item) ? item["name"] : undefined));
  const isNamed = (name: unknown): name is string => typeof name === "string";
  return names.every(isNamed) && new Set(names).size === names.length ? names : undefined;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function set(path: FieldPath, value: unknown): Change {
  return { type: "set", path, value };
}

interface DeepSplice extends Splice {
  /** Length of the path that it is for. */
  readonly depth: number;
}

/** By indentation, thirty times faster; nearly every manifest is written so. Throws YamlEditError when it takes more. */
function commonSplices(text: string, changes: readonly Change[]): readonly DeepSplice[] {
  if (text.includes("\r")) throw new YamlEditError("lines end in another way");
  return changes.map((change) => {
    const splice = commonSplice(text, change);
    if (splice === undefined) throw new YamlEditError("the precise reader has to look");
    return { ...splice, depth: change.path.length };
  });
}

/** By the tree of the precise reader. */
function preciseSplices(text: string, changes: readonly Change[]): readonly DeepSplice[] {
  const document = parsePrecise(text);
  const gone = new Map<string, Set<string | number>>();
  for (const { type, path } of changes) {
    const parent = JSON.stringify(path.slice(0, -1));
    const step = path.at(-1);
    if (type === "delete" && step !== undefined) gone.set(parent, (gone.get(parent) ?? new Set()).add(step));
  }
  return changes.map((change) => {
    const alsoGone = gone.get(JSON.stringify(change.path.slice(0, -1)));
    return { ...spliceOf(text, document, change, alsoGone), depth: change.path.length };
  });
}

/** All changes at once. Throws YamlEditError when one stands inside another. */
function spliced(text: string, splices: readonly DeepSplice[]): string {
  let out = "";
  let done = 0;
  for (const { start, end, text: words } of splices.toSorted(inTextOrder)) {
    if (start < done) throw new YamlEditError("two changes touch the same text");
    out += text.slice(done, start) + words;
    done = end;
  }
  return out + text.slice(done);
}

/** What is added at one place stands in collections that end there: the inner one's comes first. */
function inTextOrder(a: DeepSplice, b: DeepSplice): number {
  if (a.start !== b.start) return a.start - b.start;
  const [lengthA, lengthB] = [a.end - a.start, b.end - b.start];
  return lengthA === 0 && lengthB === 0 ? b.depth - a.depth : lengthA - lengthB;
}
