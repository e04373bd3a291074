import type { SourcePosition } from "../diagnostics/finding.ts";

/** A comment `# meshctl:ignore CODE[,CODE] reason until YYYY-MM-DD`, and the lines it is for. */
export interface IgnoreComment {
  readonly position: SourcePosition;
  /** As written, from the `#` on. */
  readonly text: string;
  /** First and last line that it is for. */
  readonly lines: readonly [first: number, last: number];
  readonly codes: readonly string[];
  readonly reason: string;
  readonly until?: string;
}

const MARK = "meshctl:ignore";
const COMMENT = /(?:^|\s)(#\s*meshctl:ignore(?:\s.*)?)$/;

/**
 * Comments of a YAML text that tell meshctl to ignore findings. Behind a field or above one: for that field and all below it. At
 * the head of a document (before its first field): for the whole document. Inside a block text (`|`) it is no comment.
 */
export function ignoreComments(file: string, text: string): readonly IgnoreComment[] {
  if (!text.includes(MARK)) return [];
  const lines = text.split(/\r?\n/);
  return lines.flatMap((line, index) => {
    const written = line.includes(MARK) ? COMMENT.exec(line)?.[1] : undefined;
    if (written === undefined || isBlockText(lines, index)) return [];
    const position = { file, line: index + 1, column: line.length - written.length + 1 };
    return [{ position, text: written.trim(), lines: linesOf(lines, index), ...contentOf(written) }];
  });
}

function contentOf(written: string): Pick<IgnoreComment, "codes" | "reason" | "until"> {
  const words = written.replace(/^#\s*meshctl:ignore/, "").trim();
  const [first = "", ...rest] = words.split(/\s+/);
  const reason = rest.join(" ");
  const end = /(?:^|\s)until\s+(\d{4}-\d{2}-\d{2})$/.exec(reason);
  return {
    codes: first.split(",").filter((code) => code !== ""),
    reason: end === null ? reason : reason.slice(0, end.index),
    ...(end?.[1] === undefined ? {} : { until: end[1] }),
  };
}

const SEPARATOR = /^---(?:\s|$)/;

function isEmpty(line: string): boolean {
  return /^\s*(?:#.*)?$/.test(line);
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function linesOf(lines: readonly string[], index: number): readonly [number, number] {
  const [start, end] = documentOf(lines, index);
  const isAlone = isEmpty(lines[index] ?? "");
  const isHead = isAlone && lines.slice(start, index).every(isEmpty);
  if (isHead) return [start + 1, end];
  let at = index;
  if (isAlone) while (at < end && isEmpty(lines[at] ?? "")) at += 1;
  return [at + 1, at >= end ? end : lastBelow(lines, at, end)];
}

/** Index of the document's first line, and of the line behind its last. */
function documentOf(lines: readonly string[], index: number): readonly [number, number] {
  let start = index;
  while (start > 0 && !SEPARATOR.test(lines[start - 1] ?? "")) start -= 1;
  let end = index;
  while (end < lines.length && !SEPARATOR.test(lines[end] ?? "")) end += 1;
  return [start, end];
}

/** Number of the last line of what begins on a line: deeper ones, and list items at the depth of their key. */
function lastBelow(lines: readonly string[], at: number, end: number): number {
  const head = lines[at] ?? "";
  const depth = indentOf(head);
  const isItem = /^\s*-(?:\s|$)/.test(head);
  let last = at;
  for (let next = at + 1; next < end; next += 1) {
    const line = lines[next] ?? "";
    if (isEmpty(line)) continue;
    const below = indentOf(line) > depth || (!isItem && indentOf(line) === depth && /^\s*-(?:\s|$)/.test(line));
    if (!below) break;
    last = next;
  }
  return last + 1;
}

/** Whether a line stands in a block text: some line above with less indentation ends in `|` or `>`. */
function isBlockText(lines: readonly string[], index: number): boolean {
  let depth = indentOf(lines[index] ?? "");
  for (let at = index - 1; at >= 0 && depth > 0; at -= 1) {
    const line = lines[at] ?? "";
    if (line.trim() === "" || indentOf(line) >= depth) continue;
    if (/(?::|-)\s+(?:!\S+\s+)?[|>][-+0-9]*\s*(?:#.*)?$/.test(line)) return true;
    if (SEPARATOR.test(line)) return false;
    depth = indentOf(line);
  }
  return false;
}
