import { NotJsonNumber, resolvePlain } from "./yaml-scalars.ts";

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

/** Not for this reader. */
export const UNCOMMON: unique symbol = Symbol("uncommon");

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

const LF = 10;
const SPACE = 32;
const QUOTE = 34;
const HASH = 35;
const APOSTROPHE = 39;
const COMMA = 44;
const DASH = 45;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const PIPE = 124;
const OPEN_MAP = 123;
const CLOSE_MAP = 125;

/** What a character may be part of: 1 a key, 2 the beginning of a plain scalar, 4 a plain scalar in a flow collection. */
const CLASS = new Uint8Array(128);
for (let code = 33; code < 127; code++) {
  const character = String.fromCharCode(code);
  if (/[A-Za-z0-9_./-]/.test(character)) CLASS[code] = 1 | 2 | 4;
  else if (/[$()+;<=\\^~]/.test(character)) CLASS[code] = 2 | 4;
  else if (/[*]/.test(character)) CLASS[code] = 4;
}

function has(code: number, use: number): boolean {
  return code < 128 && ((CLASS[code] ?? 0) & use) !== 0;
}

const LONGEST_KEY = 200;
const DEEPEST = 60;

function uncommon(): never {
  // oxlint-disable-next-line typescript/only-throw-error -- a way out, caught in this file alone, without the cost of a stack
  throw UNCOMMON;
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
  if (text.charCodeAt(at) !== DASH) return false;
  const next = text.charCodeAt(at + 1);
  return next === SPACE || next === LF || at + 1 >= text.length;
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
    const key = text.slice(start, end);
    if (map[key] !== undefined || key === "__proto__" || typeof resolvePlain(key) !== "string") uncommon();
    map[key] = readMember(cursor, end + 1, indent);
  }
  if (cursor.indent > indent) uncommon();
  return map;
}

/** Offset of the colon that ends a key of common characters; -1 when there is none. */
function keyEnd(text: string, start: number): number {
  let at = start;
  while (has(text.charCodeAt(at), 1)) at += 1;
  if (text.charCodeAt(at) !== COLON || at - start > LONGEST_KEY) return -1;
  const next = text.charCodeAt(at + 1);
  return next === SPACE || next === LF || at + 1 >= text.length ? at : -1;
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
  let code = text.charCodeAt(start);
  if (!(has(code, 2) || code > 127)) uncommon();
  const next = text.charCodeAt(start + 1);
  if (code === DASH && (next === SPACE || next === LF || start + 1 >= text.length)) uncommon();
  let at = start;
  let end = start;
  for (; at < text.length && code !== LF; code = text.charCodeAt(++at)) {
    if (code === SPACE) {
      if (text.charCodeAt(at + 1) === HASH) break;
    } else {
      if (code === COLON) {
        const after = text.charCodeAt(at + 1);
        if (after === SPACE || after === LF || at + 1 >= text.length) uncommon();
      }
      end = at + 1;
    }
  }
  const value = scalar(text.slice(start, end));
  endLine(cursor, at);
  return value;
}

function scalar(source: string): unknown {
  const code = source.charCodeAt(0);
  if (code > ZERO && code <= NINE && source.length < 16) {
    let value = code - ZERO;
    for (let at = 1; at < source.length; at++) {
      const digit = source.charCodeAt(at) - ZERO;
      if (digit < 0 || digit > 9) return resolvePlain(source);
      value = value * 10 + digit;
    }
    return value;
  }
  return resolvePlain(source);
}

/** `|`, `|-` and `|+`: the lines below, as they stand. */
function readLiteral(cursor: Cursor, start: number, indent: number): string {
  const { text } = cursor;
  let at = start + 1;
  const sign = text.charCodeAt(at);
  const chomp = sign === DASH ? "-" : sign === 43 ? "+" : "";
  if (chomp !== "") at += 1;
  while (text.charCodeAt(at) === SPACE) at += 1;
  if (text.charCodeAt(at) !== LF) uncommon();
  at += 1;
  const first = indentAt(text, at);
  // a first line that is blank or not deeper: the rules about those are the library's
  if (first <= indent || text.charCodeAt(at + first) === LF || at + first >= text.length) uncommon();
  const lines: string[] = [];
  while (at < text.length) {
    const spaces = indentAt(text, at);
    const end = text.indexOf("\n", at);
    const stop = end === -1 ? text.length : end;
    const blank = at + spaces >= stop;
    if (!blank && spaces < first) break;
    if (end === -1) uncommon();
    lines.push(blank && spaces <= first ? "" : text.slice(at + first, stop));
    at = stop + 1;
  }
  cursor.at = at;
  nextLine(cursor);
  if (cursor.indent > indent) uncommon();
  return chomped(lines, chomp);
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

interface Flow {
  at: number;
}

/** A quoted scalar or flow collection that ends on its line. `flow.at` goes behind it. */
function readFlow(text: string, flow: Flow, depth: number): unknown {
  if (depth > DEEPEST) uncommon();
  const code = text.charCodeAt(flow.at);
  if (code === QUOTE) return doubleQuoted(text, flow);
  if (code === APOSTROPHE) return singleQuoted(text, flow);
  if (code === OPEN_LIST) return flowList(text, flow, depth);
  if (code === OPEN_MAP) return flowMap(text, flow, depth);
  return flowPlain(text, flow);
}

function skip(text: string, flow: Flow): number {
  while (text.charCodeAt(flow.at) === SPACE) flow.at += 1;
  return text.charCodeAt(flow.at);
}

function flowList(text: string, flow: Flow, depth: number): unknown[] {
  const list: unknown[] = [];
  flow.at += 1;
  for (;;) {
    if (skip(text, flow) === CLOSE_LIST) break;
    list.push(readFlow(text, flow, depth + 1));
    const code = skip(text, flow);
    if (code === CLOSE_LIST) break;
    // a colon would make the item a map
    if (code !== COMMA) uncommon();
    flow.at += 1;
  }
  flow.at += 1;
  return list;
}

function flowMap(text: string, flow: Flow, depth: number): Record<string, unknown> {
  const map: Record<string, unknown> = {};
  flow.at += 1;
  for (;;) {
    const code = skip(text, flow);
    if (code === CLOSE_MAP) break;
    const key = flowKey(text, flow, code);
    if (map[key] !== undefined || key === "__proto__") uncommon();
    skip(text, flow);
    map[key] = readFlow(text, flow, depth + 1);
    const next = skip(text, flow);
    if (next === CLOSE_MAP) break;
    if (next !== COMMA) uncommon();
    flow.at += 1;
  }
  flow.at += 1;
  return map;
}

/** A key and its colon, which a space follows. */
function flowKey(text: string, flow: Flow, code: number): string {
  let key: unknown;
  if (code === QUOTE) key = doubleQuoted(text, flow);
  else {
    const end = has(code, 1) ? keyEnd(text, flow.at) : -1;
    if (end === -1 || code === DASH) uncommon();
    const source = text.slice(flow.at, end);
    key = resolvePlain(source);
    flow.at = end;
  }
  if (typeof key !== "string" || text.charCodeAt(flow.at) !== COLON || text.charCodeAt(flow.at + 1) !== SPACE)
    uncommon();
  flow.at += 1;
  return key;
}

/** A plain scalar of common characters and single spaces; everything else is uncommon. */
function flowPlain(text: string, flow: Flow): unknown {
  const start = flow.at;
  const first = text.charCodeAt(start);
  if (!has(first, 2) || (first === DASH && !has(text.charCodeAt(start + 1), 1))) uncommon();
  let { at } = flow;
  while (has(text.charCodeAt(at), 4) || (text.charCodeAt(at) === SPACE && has(text.charCodeAt(at + 1), 4))) at += 1;
  flow.at = at;
  return scalar(text.slice(start, at));
}

function doubleQuoted(text: string, flow: Flow): string {
  const start = flow.at + 1;
  let at = start;
  let escapes = false;
  for (let code = text.charCodeAt(at); code !== QUOTE; code = text.charCodeAt(++at)) {
    if (code === LF || at >= text.length) uncommon();
    if (code === BACKSLASH) {
      escapes = true;
      at += 1;
      if (!ESCAPES.has(text.charCodeAt(at))) uncommon();
    }
  }
  flow.at = at + 1;
  return escapes ? (JSON.parse(text.slice(start - 1, at + 1)) as string) : text.slice(start, at);
}

/** Escapes that JSON and YAML share: \\ \" \n \t \r \/ */
const ESCAPES: ReadonlySet<number> = new Set([92, 34, 110, 116, 114, 47]);

function singleQuoted(text: string, flow: Flow): string {
  const start = flow.at + 1;
  let at = start;
  let doubled = false;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === LF || at >= text.length) uncommon();
    if (code === APOSTROPHE) {
      if (text.charCodeAt(at + 1) !== APOSTROPHE) break;
      doubled = true;
      at += 1;
    }
    at += 1;
  }
  flow.at = at + 1;
  const source = text.slice(start, at);
  return doubled ? source.replaceAll("''", "'") : source;
}
