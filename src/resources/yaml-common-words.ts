import { resolvePlain } from "./yaml-scalars.ts";

/** Not for this reader. */
export const UNCOMMON: unique symbol = Symbol("uncommon");

/** Characters by their codes. */
export const LF = 10;
export const SPACE = 32;
export const QUOTE = 34;
export const HASH = 35;
export const APOSTROPHE = 39;
export const COMMA = 44;
export const DASH = 45;
const ZERO = 48;
const NINE = 57;
export const COLON = 58;
export const OPEN_LIST = 91;
export const BACKSLASH = 92;
export const CLOSE_LIST = 93;
export const PIPE = 124;
export const OPEN_MAP = 123;
export const CLOSE_MAP = 125;

/** Bits of what a character may be part of. */
const CLASS = new Uint8Array(128);
for (let code = 33; code < 127; code++) {
  const character = String.fromCharCode(code);
  if (/[A-Za-z0-9_./-]/.test(character)) CLASS[code] = 1 | 2 | 4;
  else if (/[$()+;<=\\^~]/.test(character)) CLASS[code] = 2 | 4;
  else if (/[*@%!&?|]/.test(character)) CLASS[code] = 4;
}

/** Whether a character is of a class (see CLASS): 1 a key, 2 the beginning of a plain scalar, 4 one in a flow collection. */
export function has(code: number, use: number): boolean {
  return code < 128 && ((CLASS[code] ?? 0) & use) !== 0;
}

const LONGEST_KEY = 200;

/** Collections inside each other that are read. */
export const DEEPEST = 60;

/** Leaves the reader: whatever is not certain is not its own. */
export function uncommon(): never {
  // oxlint-disable-next-line typescript/only-throw-error -- a way out, caught in this file alone, without the cost of a stack
  throw UNCOMMON;
}

/** Offset of the colon that ends a key of common characters; -1 when there is none. */
export function keyEnd(text: string, start: number): number {
  let at = start;
  while (has(text.charCodeAt(at), 1)) at += 1;
  if (text.charCodeAt(at) !== COLON || at - start > LONGEST_KEY) return -1;
  return endsWord(text, at + 1) ? at : -1;
}

/** Whether a space, a line end or the end of the text stands there. */
export function endsWord(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === SPACE || code === LF || at >= text.length;
}

/** Keys that were read, by a number made of their length and three characters: the same few stand in nearly every manifest. */
const KEYS: string[] = Array.from({ length: 1024 }, () => "");

/**
 * The key of a map that stands there; one that was read before is the very same text, which spares making it, judging it and looking it up.
 */
export function keyAt(text: string, start: number, end: number): string {
  const length = end - start;
  const sum = text.charCodeAt(start) * 7 + text.charCodeAt(end - 1) * 31 + text.charCodeAt(start + (length >> 1)) * 131;
  const slot = (sum + length * 17) & 1023;
  const known = KEYS[slot] ?? "";
  if (known.length === length && text.startsWith(known, start)) return known;
  const key = text.slice(start, end);
  if (key === "__proto__" || typeof resolvePlain(key) !== "string") uncommon();
  KEYS[slot] = key;
  return key;
}

/** The value of a plain scalar. Throws NotJsonNumber. */
export function scalar(source: string): unknown {
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
