import { NotJsonNumber } from "./yaml-scalars.ts";
import { type Flow, readFlow } from "./yaml-common-flow.ts";
import {
  LF,
  SPACE,
  QUOTE,
  HASH,
  APOSTROPHE,
  DASH,
  COLON,
  OPEN_LIST,
  PIPE,
  OPEN_MAP,
  DEEPEST,
  UNCOMMON,
  has,
  uncommon,
  keyAt,
  keyEnd,
  endsWord,
  scalar,
} from "./yaml-common-words.ts";

export { UNCOMMON } from "./yaml-common-words.ts";

/**
 * The reader for the YAML that manifests are written in: block maps and lists, plain and quoted scalars on one line, literal
 * blocks, flow collections on one line, comments. Four times faster than the library, because it decides by the next character and
 * never goes back. It does not judge: whatever is not certain, errors too, is `UNCOMMON`, and the library reads the document.
 *
 * Invariant: what it reads, the library reads alike (test/resources/yaml-common.test.ts).
 */
export function readCommon(text: string): unknown {
  if (ODD.test(text)) return UNCOMMON;
  const cursor: Cursor = { text, at: 0, indent: 0, depth: 0 };
  try {
    if (!nextLine(cursor)) return UNCOMMON;
    const value = cursor.indent === 0 ? readBlock(cursor, 0) : UNCOMMON;
    return cursor.at < text.length ? UNCOMMON : value;
  } catch (error) {
    if (error === UNCOMMON || error instanceof NotJsonNumber) return UNCOMMON;
    throw error;
  }
}

/** Characters that need a closer look: tabs, carriage returns, what is not printable, and whatever may be a half of a pair. */
const ODD = /[^\n\x20-\x7E\u00A0-\u2027\u202A-\uD7FF\uE000-\uFEFE\uFF00-\uFFFD]/;

interface Cursor {
  readonly text: string;
  /** Offset of the next character; between values: the first one of a line after its indentation. */
  at: number;
  /** Indentation of the line at hand; -1 at the end. */
  indent: number;
  depth: number;
}

/** Goes to the first character of the next line with content, past blanks and comments; false at the end. */
function nextLine(cursor: Cursor): boolean {
  const { text } = cursor;
  let { at } = cursor;
  for (;;) {
    const start = at;
    let code = text.charCodeAt(at);
    while (code === SPACE) code = text.charCodeAt(++at);
    if (code === LF) at += 1;
    else if (code === HASH) {
      const end = text.indexOf("\n", at);
      at = end === -1 ? text.length : end + 1;
    } else {
      cursor.at = at;
      cursor.indent = at >= text.length ? -1 : at - start;
      return at < text.length;
    }
  }
}

/** After a value: nothing but a comment may follow on its line; goes to the next line. */
function endLine(cursor: Cursor, from: number): void {
  const { text } = cursor;
  let at = from;
  let code = text.charCodeAt(at);
  while (code === SPACE) code = text.charCodeAt(++at);
  if (at < text.length && code !== LF && (code !== HASH || at === from)) uncommon();
  const end = code === LF ? at : text.indexOf("\n", at);
  cursor.at = end === -1 || at >= text.length ? text.length : end + 1;
  nextLine(cursor);
}

/** A map or list whose lines begin at `indent`; a document that is a scalar is uncommon. */
function readBlock(cursor: Cursor, indent: number): unknown {
  if (++cursor.depth > DEEPEST) uncommon();
  const value = isItem(cursor) ? readList(cursor, indent) : readMap(cursor, indent);
  cursor.depth -= 1;
  return value;
}

function isItem({ text, at }: Cursor): boolean {
  return text.charCodeAt(at) === DASH && endsWord(text, at + 1);
}

function readList(cursor: Cursor, indent: number): unknown[] {
  const list: unknown[] = [];
  while (cursor.indent === indent && isItem(cursor)) {
    let at = cursor.at + 1;
    while (cursor.text.charCodeAt(at) === SPACE) at += 1;
    list.push(readItem(cursor, at, indent));
  }
  if (cursor.indent > indent) uncommon();
  return list;
}

function readItem(cursor: Cursor, at: number, indent: number): unknown {
  const { text } = cursor;
  const code = text.charCodeAt(at);
  if (code === LF || code === HASH || at >= text.length) {
    endLine(cursor, at - (code === HASH ? 1 : 0));
    return cursor.indent > indent ? readBlock(cursor, cursor.indent) : null;
  }
  const column = indent + at - cursor.at;
  const nested = code === DASH && text.charCodeAt(at + 1) === SPACE;
  if (nested || (has(code, 1) && keyEnd(text, at) !== -1)) {
    cursor.at = at;
    cursor.indent = column;
    return readBlock(cursor, column);
  }
  return readValue(cursor, at, indent);
}

function readMap(cursor: Cursor, indent: number): Record<string, unknown> {
  const map: Record<string, unknown> = {};
  const { text } = cursor;
  while (cursor.indent === indent) {
    const start = cursor.at;
    const end = keyEnd(text, start);
    if (end <= start || text.charCodeAt(start) === DASH) uncommon();
    const key = keyAt(text, start, end);
    if (map[key] !== undefined) uncommon();
    map[key] = readMember(cursor, end + 1, indent);
  }
  if (cursor.indent > indent) uncommon();
  return map;
}

function readMember(cursor: Cursor, from: number, indent: number): unknown {
  const { text } = cursor;
  let at = from;
  let code = text.charCodeAt(at);
  while (code === SPACE) code = text.charCodeAt(++at);
  if (code !== LF && code !== HASH && at < text.length) return readValue(cursor, at, indent);
  endLine(cursor, code === HASH ? at - 1 : at);
  if (cursor.indent > indent) return readBlock(cursor, cursor.indent);
  return cursor.indent === indent && isItem(cursor) ? readBlock(cursor, indent) : null;
}

/** A value that begins on this line, in a collection at `indent`. */
function readValue(cursor: Cursor, at: number, indent: number): unknown {
  const code = cursor.text.charCodeAt(at);
  if (code === PIPE) return readLiteral(cursor, at, indent);
  if (code === QUOTE || code === APOSTROPHE || code === OPEN_LIST || code === OPEN_MAP) {
    const flow: Flow = { at };
    const value = readFlow(cursor.text, flow, 0);
    endLine(cursor, flow.at);
    return value;
  }
  return readPlain(cursor, at);
}

/** A plain scalar up to the end of the line or a comment. A deeper line behind it is refused by the collection it stands in. */
function readPlain(cursor: Cursor, start: number): unknown {
  const { text } = cursor;
  const first = text.charCodeAt(start);
  if ((!has(first, 2) && first < 128) || (first === DASH && endsWord(text, start + 1))) uncommon();
  let at = start;
  let end = start;
  for (let code = first; code === code && code !== LF; code = text.charCodeAt(++at)) {
    if (code === SPACE) {
      if (text.charCodeAt(at + 1) === HASH) break;
    } else {
      if (code === COLON && endsWord(text, at + 1)) uncommon();
      end = at + 1;
    }
  }
  const value = scalar(text.slice(start, end));
  endLine(cursor, at);
  return value;
}

/** `|`, `|-` and `|+`: the lines below, as they stand. */
function readLiteral(cursor: Cursor, start: number, indent: number): string {
  const { text } = cursor;
  const header = LITERAL.exec(text.slice(start, start + 40));
  if (header === null) uncommon();
  const begin = start + header[0].length;
  const first = indentAt(text, begin);
  // a first line that is blank or not deeper: the rules about those are the library's
  if (first <= indent || endsWord(text, begin + first)) uncommon();
  const lines: string[] = [];
  for (cursor.at = begin; cursor.at < text.length; ) {
    const line = literalLine(cursor, first);
    if (line === undefined) break;
    lines.push(line);
  }
  nextLine(cursor);
  if (cursor.indent > indent) uncommon();
  return chomped(lines, header[1] ?? "");
}

const LITERAL = /^\|([-+]?) *\n/;

/** The next line of a literal block whose lines stand at `first`; undefined behind its last one. */
function literalLine(cursor: Cursor, first: number): string | undefined {
  const { text, at } = cursor;
  const spaces = indentAt(text, at);
  const end = text.indexOf("\n", at);
  const stop = end === -1 ? text.length : end;
  const blank = at + spaces >= stop;
  if (!blank && spaces < first) return undefined;
  // without a line end at the end: the library's
  if (end === -1) uncommon();
  cursor.at = stop + 1;
  return blank && spaces <= first ? "" : text.slice(at + first, stop);
}

function indentAt(text: string, at: number): number {
  let end = at;
  while (text.charCodeAt(end) === SPACE) end += 1;
  return end - at;
}

function chomped(lines: readonly string[], chomp: string): string {
  if (chomp === "+") return `${lines.join("\n")}\n`;
  const last = lines.findLastIndex((line) => line !== "");
  return lines.slice(0, last + 1).join("\n") + (chomp === "-" ? "" : "\n");
}
