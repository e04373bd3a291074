import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import type { FieldPath } from "../diagnostics/finding.ts";
import { YamlEditError } from "./yaml-edit-error.ts";

/** A place of a document's tree that holds a value. `flow`: inside brackets or braces. */
export type Slot = { readonly node: Node | null; readonly flow: boolean } & (
  | { readonly type: "root" }
  | {
      readonly type: "pair";
      readonly map: YAMLMap;
      readonly pair: Pair<Node, Node | null>;
      readonly index: number;
      /** Offset of the key. */
      readonly keyAt: number;
      readonly parent: Slot;
    }
  | { readonly type: "item"; readonly list: YAMLSeq; readonly index: number; readonly parent: Slot }
);

/** The deepest place of a path that is there, and the steps that are not. Throws YamlEditError where the path goes through an alias. */
export function walk(document: Document.Parsed, path: FieldPath): { readonly slot: Slot; readonly missing: FieldPath } {
  let slot: Slot = { type: "root", node: document.contents, flow: false };
  for (const [depth, step] of path.entries()) {
    if (isAlias(slot.node)) throw new YamlEditError(`${path.slice(0, depth).join(".")} is an alias of another value`);
    const next = child(slot, step);
    if (next === undefined) return { slot, missing: path.slice(depth) };
    slot = next;
  }
  return { slot, missing: [] };
}

function child(parent: Slot, step: string | number): Slot | undefined {
  const { node } = parent;
  if (isMap(node)) {
    const pairs = node.items as Pair<Node, Node | null>[];
    const index = pairs.findIndex(({ key }) => isScalar(key) && String(key.value) === String(step));
    const pair = pairs[index];
    if (pair === undefined) return undefined;
    const keyAt = rangeOf(pair.key)?.[0] ?? 0;
    return { type: "pair", map: node, pair, index, keyAt, parent, node: pair.value, flow: node.flow === true };
  }
  if (!isSeq(node) || typeof step !== "number" || step >= node.items.length) return undefined;
  return {
    type: "item",
    list: node,
    index: step,
    parent,
    node: node.items[step] as Node | null,
    flow: node.flow === true,
  };
}

/** Where a node's own text begins and ends. */
export function rangeOf(node: Node | null | undefined): readonly [number, number] | undefined {
  const range = node?.range;
  return range === null || range === undefined ? undefined : [range[0], range[1]];
}

interface Token {
  readonly type: string;
  readonly offset: number;
}

/** Offset behind the colon of a pair. Throws YamlEditError for a key without one. */
export function colonEnd(pair: Pair<Node, Node | null>): number {
  const { sep } = (pair.srcToken ?? {}) as { sep?: readonly Token[] };
  const colon = sep?.find(({ type }) => type === "map-value-ind");
  if (colon === undefined) throw new YamlEditError("a key without a colon is not edited");
  return colon.offset + 1;
}

/** Offset of the dash of a block list's item. */
export function dashOf(list: YAMLSeq, index: number): number {
  const { items } = (list.srcToken ?? {}) as { items?: readonly { readonly start?: readonly Token[] }[] };
  const dash = items?.[index]?.start?.find(({ type }) => type === "seq-item-ind");
  if (dash === undefined) throw new YamlEditError("an item without a dash is not edited");
  return dash.offset;
}

/** Offset behind the last character of a node; behind its line end for a block scalar that keeps them (`|+`). */
export function endOfNode(node: Node | null, text: string): number {
  const last = isCollection(node) && node.flow !== true ? node.items.length - 1 : -1;
  if (isMap(node) && last >= 0) return endOfPair(node.items[last] as Pair<Node, Node | null>, text);
  if (isSeq(node) && last >= 0)
    return Math.max(endOfNode(node.items[last] as Node | null, text), dashOf(node, last) + 1);
  const [start, end] = rangeOf(node) ?? [0, 0];
  if (!isBlockScalar(node)) return end;
  const header = text.slice(start, text.indexOf("\n", start));
  return header.includes("+") ? end : start + text.slice(start, end).trimEnd().length;
}

/** `|` and `>`. */
export function isBlockScalar(node: Node | null): boolean {
  return isScalar(node) && (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED");
}

/** Offset behind the last character of a pair. */
export function endOfPair(pair: Pair<Node, Node | null>, text: string): number {
  return Math.max(endOfNode(pair.value, text), colonEnd(pair));
}
