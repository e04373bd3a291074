import {
  LF,
  SPACE,
  QUOTE,
  APOSTROPHE,
  COMMA,
  DASH,
  COLON,
  OPEN_LIST,
  BACKSLASH,
  CLOSE_LIST,
  OPEN_MAP,
  CLOSE_MAP,
  DEEPEST,
  has,
  uncommon,
  keyAt,
  keyEnd,
  scalar,
} from "./yaml-common-words.ts";

/** A place in a text that moves on. */
export interface Flow {
  at: number;
}

/** A quoted scalar or flow collection that ends on its line. `flow.at` goes behind it. */
export function readFlow(text: string, flow: Flow, depth: number): unknown {
  if (depth > DEEPEST) uncommon();
  const code = text.charCodeAt(flow.at);
  if (code === QUOTE) return doubleQuoted(text, flow);
  if (code === APOSTROPHE) return singleQuoted(text, flow);
  if (code === OPEN_LIST) return flowList(text, flow, depth);
  if (code === OPEN_MAP) return flowMap(text, flow, depth);
  return flowPlain(text, flow);
}

/** Goes past spaces; the character that stands there. */
export function skip(text: string, flow: Flow): number {
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
export function flowKey(text: string, flow: Flow, code: number): string {
  let key: string;
  if (code === QUOTE) key = doubleQuoted(text, flow);
  else {
    const end = has(code, 1) ? keyEnd(text, flow.at) : -1;
    if (end <= flow.at || code === DASH) uncommon();
    key = keyAt(text, flow.at, end);
    flow.at = end;
  }
  if (text.charCodeAt(flow.at) !== COLON || text.charCodeAt(flow.at + 1) !== SPACE) uncommon();
  flow.at += 1;
  return key;
}

/** A plain scalar of common characters and single spaces; everything else is uncommon. */
function flowPlain(text: string, flow: Flow): unknown {
  const start = flow.at;
  const first = text.charCodeAt(start);
  if (!has(first, 2) || (first === DASH && !has(text.charCodeAt(start + 1), 1))) uncommon();
  let { at } = flow;
  for (let code = first; has(code, 4) || (isGap(code) && has(text.charCodeAt(at + 1), 4)); code = text.charCodeAt(at))
    at += 1;
  flow.at = at;
  return scalar(text.slice(start, at));
}

/** A space or colon is part of a scalar when more of it follows. */
function isGap(code: number): boolean {
  return code === SPACE || code === COLON;
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
