import { type Document, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap, type YAMLSeq } from "yaml";
import type { FieldPath } from "../diagnostics/finding.ts";
import type { YamlChange } from "./yaml-change.ts";
import { blockText } from "./yaml-block.ts";
import { flowKeyText, flowText, isBlockValue, padded } from "./yaml-render.ts";
import { colonEnd, dashOf, endOfNode, endOfPair, isBlockScalar, rangeOf, type Slot, walk } from "./yaml-nodes.ts";
import { YamlEditError } from "./yaml-edit-error.ts";

/** What takes the place of a part of a text. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A text with its tree, while one edit is worked out. */
interface Source {
  readonly text: string;
  /** How lines end in it. */
  readonly eol: string;
}

/**
 * The part of a document's text that one edit changes. `alsoGone`: keys or indexes beside it that are deleted at the same time.
 * Throws YamlEditError for a path that is not there.
 */
export function spliceOf(
  text: string,
  document: Document.Parsed,
  edit: YamlChange & { readonly path: FieldPath },
  alsoGone: ReadonlySet<string | number> = new Set(),
): Splice {
  const source = { text, eol: text.includes("\r\n") ? "\r\n" : "\n" };
  const { slot, missing } = walk(document, edit.path);
  if (edit.type === "set")
    return missing.length === 0 ? replaced(source, slot, edit.value) : added(source, slot, missing, edit.value);
  if (edit.type === "insert") return inserted(source, slot, missing, edit);
  if (missing.length > 0) throw new YamlEditError(`${edit.path.join(".")} is not there`);
  return edit.type === "delete" ? deleted(source, slot, alsoGone) : renamed(slot, edit.name);
}

function added(source: Source, slot: Slot, missing: FieldPath, value: unknown): Splice {
  const [step = "", ...rest] = missing;
  const made = nested(rest, value);
  const { node } = slot;
  if (isMap(node) && typeof step === "string") return withKey(source, node, step, made);
  if (isSeq(node) && step === node.items.length) return withItem(source, node, node.items.length, made);
  if (node === null || (isScalar(node) && node.value === null)) return replaced(source, slot, nested(missing, value));
  throw new YamlEditError(`${String(step)} has no place there`);
}

/** A value with the maps and lists of a path around it. */
function nested(path: FieldPath, value: unknown): unknown {
  return path.reduceRight<unknown>((inner, step) => {
    if (typeof step === "string") return { [step]: inner };
    if (step !== 0) throw new YamlEditError(`a new list begins with item 0, got ${step}`);
    return [inner];
  }, value);
}

function inserted(
  source: Source,
  slot: Slot,
  missing: FieldPath,
  edit: YamlChange & { readonly path: FieldPath },
): Splice {
  const index = edit.path.at(-1);
  if (edit.type !== "insert" || typeof index !== "number") throw new YamlEditError("an item is inserted at an index");
  if (missing.length > 0) return added(source, slot, missing, edit.value);
  if (slot.type !== "item") throw new YamlEditError("an item is inserted into a list");
  return withItem(source, slot.list, index, edit.value);
}

/** Another value in the place of one. */
function replaced(source: Source, slot: Slot, value: unknown): Splice {
  const { text } = source;
  const from = beginOf(slot);
  const [start, end] = rangeOf(slot.node) ?? [from, from];
  const empty = start === end;
  const inline = slot.flow || !isBlockValue(value) || isFilledFlow(slot.node);
  const words = flowText(value, isJson(slot, text));
  if (inline && empty) return { start: from, end: from, text: ` ${words}` };
  if (inline && isInline(slot.node)) return { start, end, text: words };
  const last = lineEnd(text, empty ? from : trimmed(text, endOfNode(slot.node, text)));
  return { start: from, end: last, text: onLines(source, slot, inline ? words : { value }) };
}

/** A value behind its key or dash: on the same line in words, or on lines of its own. A comment behind the key stays. */
function onLines({ text, eol }: Source, slot: Slot, value: string | { readonly value: unknown }): string {
  const comment = slot.type === "pair" ? commentOf(text, slot.node, beginOf(slot)) : "";
  if (typeof value === "string") return `${slot.type === "root" ? "" : " "}${value}${comment}`;
  const lines = blockText(value.value);
  if (slot.type === "root") return padded(lines, 0, eol);
  if (slot.type === "pair") return `${comment}${eol}${padded(lines, columnOf(text, slot.keyAt) + 2, eol)}`;
  return ` ${padded(lines, columnOf(text, dashOf(slot.list, slot.index)) + 2, eol).trimStart()}`;
}

/** Where the text of a value begins: behind the colon of its key or its dash; an item in brackets has none. */
function beginOf(slot: Slot): number {
  if (slot.type === "pair") return colonEnd(slot.pair);
  if (slot.type === "item" && !slot.flow) return dashOf(slot.list, slot.index) + 1;
  return rangeOf(slot.node)?.[0] ?? 0;
}

/** A list or map in brackets stays one. */
function isFilledFlow(node: Node | null): boolean {
  return (isMap(node) || isSeq(node)) && node.flow === true && node.items.length > 0;
}

function isInline(node: Node | null): boolean {
  return isMap(node) || isSeq(node) ? node.flow === true : !isBlockScalar(node);
}

/** The comment behind a key, or behind the value on its line. */
function commentOf(text: string, node: Node | null, from: number): string {
  const range = rangeOf(node);
  const at = range !== undefined && range[0] !== range[1] && isInline(node) ? range[1] : from;
  return /^[ \t]+#[^\r\n]*/.exec(text.slice(at))?.[0] ?? "";
}

function isJson(slot: Slot, text: string): boolean {
  return slot.type === "pair" && text[slot.keyAt] === '"';
}

function withKey(source: Source, map: YAMLMap, key: string, value: unknown): Splice {
  const { text, eol } = source;
  const [start, end] = rangeOf(map) ?? [0, 0];
  if (map.flow === true) {
    const first = (map.items as Pair<Node, Node | null>[])[0];
    const json = first === undefined ? text[start + 1] === "\n" : text[rangeOf(first.key)?.[0] ?? 0] === '"';
    return intoFlow(source, map, map.items.length, `${flowKeyText(key, json)}: ${flowText(value, json)}`);
  }
  const column = columnOf(text, start);
  const lines = padded(blockText({ [key]: value }), column, eol);
  return newLines(source, endOfNode(map, text) || end, lines);
}

function withItem(source: Source, list: YAMLSeq, index: number, value: unknown): Splice {
  const { text, eol } = source;
  if (list.flow === true)
    return intoFlow(
      source,
      list,
      index,
      flowText(value, text[(rangeOf(list.items[0] as Node | null) ?? [0])[0]] === '"'),
    );
  if (index > list.items.length) throw new YamlEditError(`the list has ${list.items.length} items, got index ${index}`);
  const column = columnOf(text, dashOf(list, 0));
  const lines = padded(blockText([value]), column, eol);
  if (index === list.items.length) return newLines(source, endOfNode(list, text), lines);
  const at = dashOf(list, index);
  const start = lineStart(text, at);
  if (text.slice(start, at).trim() !== "")
    return { start: at, end: at, text: `${lines.trimStart()}${eol}${" ".repeat(column)}` };
  const above = commentsAbove(text, start);
  return { start: above, end: above, text: `${lines}${eol}` };
}

/** Another member of a flow collection, in the way its members stand: on lines of their own or behind each other. */
function intoFlow({ text, eol }: Source, collection: YAMLMap | YAMLSeq, index: number, words: string): Splice {
  const members = membersOf(collection);
  const [start, end] = rangeOf(collection) ?? [0, 0];
  const first = members[0];
  if (first === undefined) {
    const space = isMap(collection) ? " " : "";
    return { start: start + 1, end: end - 1, text: `${space}${words}${space}` };
  }
  const apart = text.slice(lineStart(text, first.start), first.start).trim() === "";
  const gap = apart ? `,${eol}${" ".repeat(columnOf(text, first.start))}` : ", ";
  const before = members[index];
  if (before !== undefined) return { start: before.start, end: before.start, text: `${words}${gap}` };
  const at = members.at(-1)?.end ?? end;
  return { start: at, end: at, text: `${gap}${words}` };
}

interface Member {
  readonly start: number;
  readonly end: number;
}

function membersOf(collection: YAMLMap | YAMLSeq): readonly Member[] {
  if (isMap(collection))
    return (collection.items as Pair<Node, Node | null>[]).map((pair) => {
      const [start, end] = rangeOf(pair.key) ?? [0, 0];
      const value = rangeOf(pair.value);
      return { start, end: value === undefined || value[0] === value[1] ? Math.max(end, value?.[1] ?? 0) : value[1] };
    });
  return (collection.items as (Node | null)[]).map((item) => {
    const [start, end] = rangeOf(item) ?? [0, 0];
    return { start, end };
  });
}

function deleted(source: Source, slot: Slot, alsoGone: ReadonlySet<string | number>): Splice {
  if (slot.type === "root") throw new YamlEditError("a whole document is not deleted");
  const collection = slot.type === "pair" ? slot.map : slot.list;
  if (collection.items.length === 1) return replaced(source, slot.parent, slot.type === "pair" ? {} : []);
  if (collection.flow === true) return deletedFlow(collection, slot.index, alsoGone);
  const { text } = source;
  const begins = (index: number): number =>
    slot.type === "pair"
      ? (rangeOf((slot.map.items as Pair<Node, Node | null>[])[index]?.key ?? null)?.[0] ?? 0)
      : dashOf(slot.list, index);
  const at = begins(slot.index);
  const start = lineStart(text, at);
  // the first of its collection may stand behind the dash of an item: the next one moves up to it
  if (text.slice(start, at).trim() !== "") return { start: at, end: begins(slot.index + 1), text: "" };
  const end = slot.type === "pair" ? endOfPair(slot.pair, text) : Math.max(endOfNode(slot.node, text), at + 1);
  return { start: commentsAbove(text, start), end: nextLine(text, end), text: "" };
}

/** A member goes with the comma behind it; when none behind it stays, with the one before it. */
function deletedFlow(collection: YAMLMap | YAMLSeq, index: number, alsoGone: ReadonlySet<string | number>): Splice {
  const members = membersOf(collection);
  const own = members[index] ?? { start: 0, end: 0 };
  const next = members[index + 1];
  const isLast = members.slice(index + 1).every((_, behind) => alsoGone.has(stepOf(collection, index + 1 + behind)));
  if (next !== undefined && !isLast) return { start: own.start, end: next.start, text: "" };
  return { start: members[index - 1]?.end ?? own.start, end: own.end, text: "" };
}

/** The step of a path that leads to a member. */
function stepOf(collection: YAMLMap | YAMLSeq, index: number): string | number {
  if (!isMap(collection)) return index;
  const { key } = (collection.items[index] ?? {}) as Partial<Pair<Node, Node | null>>;
  return isScalar(key) ? String(key.value) : "";
}

function renamed(slot: Slot, name: string): Splice {
  if (slot.type !== "pair") throw new YamlEditError("only keys have names");
  const [start, end] = rangeOf(slot.pair.key) ?? [0, 0];
  return { start, end, text: flowKeyText(name, false) };
}

/** Lines behind a place, on lines of their own. */
function newLines({ text, eol }: Source, after: number, lines: string): Splice {
  const at = nextLine(text, after);
  const open = at > 0 && text[at - 1] !== "\n";
  return { start: at, end: at, text: open ? `${eol}${lines}` : `${lines}${eol}` };
}

function nextLine(text: string, at: number): number {
  if (at > 0 && text[at - 1] === "\n") return at;
  const end = text.indexOf("\n", at);
  return end === -1 ? text.length : end + 1;
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

/** Where the line ends, before its line end. */
function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  if (end === -1) return text.length;
  return text[end - 1] === "\r" ? end - 1 : end;
}

function columnOf(text: string, at: number): number {
  return at - lineStart(text, at);
}

function trimmed(text: string, end: number): number {
  let at = end;
  while (at > 0 && /\s/.test(text[at - 1] ?? "")) at -= 1;
  return at;
}

/** Where the comment lines right above a line begin that stand as deep as it. */
function commentsAbove(text: string, start: number): number {
  const indent = /^ */.exec(text.slice(start))?.[0] ?? "";
  let at = start;
  while (at > 0) {
    const above = lineStart(text, at - 1);
    if (!text.startsWith(`${indent}#`, above)) break;
    at = above;
  }
  return at;
}
