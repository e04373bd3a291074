import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
} from "yaml";
import type { FieldPath } from "../diagnostics/finding.ts";
import { readCommon, UNCOMMON } from "./yaml-common.ts";
import { commonPlace } from "./yaml-common-places.ts";
import { embeddedText } from "./yaml-embedded.ts";
import { resolvePlain } from "./yaml-scalars.ts";

/** A place in a text; lines and columns start at 1. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/**
 * Finds places in one YAML document: the precise reader, ten times slower than the fast one and only asked where there is
 * something to say. A path that is not there gives its nearest existing parent. A field is placed at its key, a list item at
 * its first character, the whole object at its start; with `value` the field's value is meant.
 */
export function createPositions(text: string): Places {
  // what the common reader takes is found by indentation, unless it stands in a text
  const isCommon = readCommon(text) !== UNCOMMON;
  let precise: Places | undefined;
  return (path, of = "key") => {
    const offset = isCommon ? commonPlace(text, path, of) : undefined;
    if (offset !== undefined) return positionAt(text, offset);
    precise ??= createPrecisePositions(text);
    return precise(path, of);
  };
}

/** Finds the place of a path. */
type Places = (path: FieldPath, of?: "key" | "value") => TextPosition;

function positionAt(text: string, offset: number): TextPosition {
  let line = 1;
  let start = 0;
  for (let end = text.indexOf("\n"); end !== -1 && end < offset; end = text.indexOf("\n", start)) {
    line += 1;
    start = end + 1;
  }
  return { line, column: offset - start + 1 };
}

/** The same for any document, by the precise reader alone. */
export function createPrecisePositions(text: string): Places {
  const lines = new LineCounter();
  const document = parse(text, lines);
  return (path, of = "key") => {
    const { offset, scalar, rest } = offsetOf(document, path, of);
    const { line, col } = lines.linePos(offset);
    const inside = scalar === undefined ? undefined : embeddedText(text, scalar, lines);
    if (inside === undefined || rest.length === 0) return { line, column: col };
    return inside.place(createPositions(inside.text)(rest, of));
  };
}

/** The values that the precise reader sees, for the test that holds the two readers to each other. */
export function valuesOfPrecise(text: string): unknown {
  return parse(text, new LineCounter()).toJS({ maxAliasCount: -1 });
}

/** A document's tree with the tokens it was made from, for edits. */
export function parsePrecise(text: string): Document.Parsed {
  return parse(text, new LineCounter());
}

function parse(text: string, lineCounter: LineCounter): Document.Parsed {
  return parseDocument(text, {
    lineCounter,
    keepSourceTokens: true,
    schema: "failsafe",
    merge: true,
    uniqueKeys: false,
    customTags: (tags) => [
      {
        tag: "tag:yaml.org,2002:meshctl/plain",
        default: true,
        test: /(?:)/,
        resolve: (source: string) => safely(source),
      },
      ...tags,
    ],
  });
}

function safely(source: string): unknown {
  try {
    return resolvePlain(source);
  } catch {
    return source;
  }
}

interface Place {
  readonly offset: number;
  /** The text at which the path leaves the document, with the steps that are left: they lead into YAML inside it. */
  readonly scalar: Scalar | undefined;
  readonly rest: FieldPath;
}

function offsetOf(document: Document.Parsed, path: FieldPath, of: "key" | "value"): Place {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [index, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    const found = child(node, step);
    if (found === undefined) return { offset, scalar: isScalar(node) ? node : undefined, rest: path.slice(index) };
    const isLast = index === path.length - 1;
    offset = isLast && of === "value" ? (found.value ?? found.at) : found.at;
    node = found.node;
  }
  return { offset, scalar: undefined, rest: [] };
}

interface Child {
  readonly node: Node | null;
  /** Offset of the key, or of the item. */
  readonly at: number;
  readonly value: number | undefined;
}

function child(node: Node | null, step: string | number): Child | undefined {
  if (isMap(node)) {
    const pair = (node.items as Pair<Node, Node | null>[]).find((item) => keyText(item.key) === String(step));
    if (pair === undefined) return undefined;
    return { node: pair.value, at: pair.key.range?.[0] ?? 0, value: pair.value?.range?.[0] };
  }
  if (isSeq(node)) {
    const item = node.items[Number(step)] as Node | undefined;
    if (item === undefined) return undefined;
    const at = item.range?.[0] ?? 0;
    return { node: item, at, value: at };
  }
  return undefined;
}

function keyText(key: Node): string {
  return isScalar(key) ? String(key.value) : "";
}
