import type { FieldPath } from "../diagnostics/finding.ts";
import { flowPlace } from "./yaml-common-flow-places.ts";

/** A place found by reading lines: an offset; undefined where the precise reader has to look. */
export type CommonPlace = number | undefined;

/**
 * The offset of a field in a document that the common reader takes (yaml-common.ts): found by indentation alone, without reading
 * values, thirty times faster than the precise reader. Undefined for fields inside texts, where the precise reader has to look. The rules are those of createPositions: a missing field gives its nearest existing parent.
 *
 * Invariant: where it answers, the precise reader says the same (test/resources/yaml-common-places.test.ts).
 */
export function commonPlace(text: string, path: FieldPath, of: "key" | "value"): CommonPlace {
  let block = firstContent(text, 0);
  if (block === undefined) return undefined;
  let offset = block.at;
  for (const [index, step] of path.entries()) {
    const found: Member | undefined = isItem(text, block.at)
      ? itemOf(text, block, step)
      : memberOf(text, block, String(step));
    if (found === undefined) return offset;
    const isLast = index === path.length - 1;
    // where a value that is not written stands is the precise reader's to say
    if (found.value === undefined && (of === "value" || isItem(text, found.at))) return undefined;
    if (isLast) return of === "value" ? found.value : found.at;
    offset = found.at;
    if (found.block === undefined)
      return found.value === undefined
        ? offset
        : flowPlace(text, { at: found.value, parent: offset }, path.slice(index + 1), of);
    block = found.block;
  }
  return offset;
}

/** A map or list: its first entry, and the column at which all begin. */
export interface Block {
  readonly at: number;
  readonly column: number;
}

/** An entry of a block, found by its key or place. */
export interface Member {
  /** Of the key, or of the item's first character. */
  readonly at: number;
  readonly value: number | undefined;
  /** When the value is a block. */
  readonly block: Block | undefined;
}

const LF = 10;
const SPACE = 32;
const HASH = 35;
const DASH = 45;

/** The first line with content from an offset at the beginning of a line. */
export function firstContent(text: string, from: number): Block | undefined {
  let start = from;
  while (start < text.length) {
    let at = start;
    while (text.charCodeAt(at) === SPACE) at += 1;
    const code = text.charCodeAt(at);
    if (code !== LF && code !== HASH && at < text.length) return { at, column: at - start };
    start = nextLine(text, at);
  }
  return undefined;
}

/** Offset of the next line's beginning. */
export function nextLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end === -1 ? text.length : end + 1;
}

/** Whether a dash stands there that begins an item. */
export function isItem(text: string, at: number): boolean {
  const next = text.charCodeAt(at + 1);
  return text.charCodeAt(at) === DASH && (next === SPACE || next === LF || at + 1 >= text.length);
}

/** The entry of the block behind the one at `at`: the next line of its column; undefined at its end. */
function nextEntry(text: string, { at, column }: Block): Block | undefined {
  const ofList = isItem(text, at);
  for (let line = firstContent(text, nextLine(text, at)); line !== undefined; ) {
    if (line.column < column) return undefined;
    // items at the column of their key belong to it; a key at the column of a list ends that
    if (line.column === column && isItem(text, line.at) === ofList) return line;
    if (line.column === column && ofList) return undefined;
    line = firstContent(text, nextLine(text, line.at));
  }
  return undefined;
}

/** The entry of a map. */
export function memberOf(text: string, block: Block, key: string): Member | undefined {
  for (let entry: Block | undefined = block; entry !== undefined; entry = nextEntry(text, entry)) {
    const end = entry.at + key.length;
    if (text.startsWith(key, entry.at) && text.charAt(end) === ":" && /^(?:[ \n]|$)/.test(text.charAt(end + 1)))
      return { at: entry.at, ...valueAt(text, end + 1, { column: entry.column, ofItem: false }) };
  }
  return undefined;
}

/** The entry of a list. */
export function itemOf(text: string, block: Block, step: string | number): Member | undefined {
  let entry: Block | undefined = block;
  for (let index = Number(step); index > 0 && entry !== undefined; index -= 1) entry = nextEntry(text, entry);
  if (entry === undefined) return undefined;
  const { value, block: below } = valueAt(text, entry.at + 1, { column: entry.column, ofItem: true });
  const at = value ?? entry.at;
  return { at, value, block: below };
}

interface Holder {
  readonly column: number;
  readonly ofItem: boolean;
}

/** Where a value begins behind a colon or dash: on its line, or as a block below. */
function valueAt(text: string, from: number, holder: Holder): { value: number | undefined; block: Block | undefined } {
  let at = from;
  while (text.charCodeAt(at) === SPACE) at += 1;
  const code = text.charCodeAt(at);
  if (code !== LF && code !== HASH && at < text.length) {
    const start = text.lastIndexOf("\n", at - 1) + 1;
    const inline =
      holder.ofItem && (isItem(text, at) || /^[A-Za-z0-9_./-]+:(?:[ \n]|$)/.test(text.slice(at, at + 202)));
    return { value: at, block: inline ? { at, column: at - start } : undefined };
  }
  const below = firstContent(text, nextLine(text, at));
  return below !== undefined && isBelow(text, below, holder)
    ? { value: below.at, block: below }
    : { value: undefined, block: undefined };
}

/** Deeper lines, and under a key items at its own column. */
function isBelow(text: string, below: Block, { column, ofItem }: Holder): boolean {
  return below.column > column || (!ofItem && below.column === column && isItem(text, below.at));
}
