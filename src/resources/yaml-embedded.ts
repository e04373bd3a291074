import type { LineCounter, Scalar } from "yaml";

/** YAML that is the text of a field, e.g. of a ConfigMap's key, and where its places are in the file around it. */
export interface EmbeddedText {
  readonly text: string;
  /** The place in the file of a place in the text. Lines and columns start at 1. */
  readonly place: (inside: Place) => Place;
}

interface Place {
  readonly line: number;
  readonly column: number;
}

/**
 * The text of a scalar that stands in the source letter by letter: a literal block (`|`), or one line, plain or in quotes without
 * escapes. Undefined for others: folded lines have no places of their own.
 */
export function embeddedText(source: string, scalar: Scalar, lines: LineCounter): EmbeddedText | undefined {
  const [start, end] = scalar.range ?? [0, 0];
  if (typeof scalar.value !== "string") return undefined;
  if (scalar.type === "BLOCK_LITERAL") return literalBlock(source, scalar.value, { start, end, lines });
  const quotes = scalar.type === "PLAIN" ? 0 : 1;
  if (source.slice(start + quotes, end - quotes) !== scalar.value || scalar.value.includes("\n")) return undefined;
  const { line, col } = lines.linePos(start + quotes);
  return { text: scalar.value, place: (inside) => ({ line, column: col + inside.column - 1 }) };
}

interface Block {
  readonly start: number;
  readonly end: number;
  readonly lines: LineCounter;
}

function literalBlock(source: string, text: string, { start, end, lines }: Block): EmbeddedText | undefined {
  const header = source.indexOf("\n", start);
  if (header < 0 || header >= end) return undefined;
  const first = lines.linePos(header + 1).line;
  const indented = source
    .slice(header + 1, end)
    .split("\n")
    .find((line) => line.trim() !== "");
  const filled = text.split("\n").find((line) => line.trim() !== "");
  if (indented === undefined || filled === undefined) return undefined;
  // the block's own indentation is what its lines have more than those of the text
  const indent = indented.trimEnd().length - filled.trimEnd().length;
  return { text, place: ({ line, column }) => ({ line: first + line - 1, column: column + indent }) };
}
