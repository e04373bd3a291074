/**
 * What the rules of the schemas, written in CEL and made into JavaScript by the generator, call at run time. As in CEL a value that
 * is not there, or has no sense, is an error, and a rule with an error does not hold.
 */

/** Whether a rule holds of a value; an error means that it does not. */
export function holds(rule: (self: never) => unknown, self: unknown): boolean {
  try {
    return rule(self as never) === true;
  } catch {
    return false;
  }
}

/** A field that has to be there. */
export function field(object: Readonly<Record<string, unknown>>, name: string): unknown {
  const value = object[name];
  if (value === undefined) throw new Error(`no such key: ${name}`);
  return value;
}

/** An item of a list, or a value of a map, that has to be there. */
export function item(list: Readonly<Record<string | number, unknown>>, index: string | number): unknown {
  const value = list[index];
  if (value === undefined) throw new Error(`no such item: ${index}`);
  return value;
}

/** The items of a list, the keys of a map. */
export function members(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[];
  if (typeof value === "object" && value !== null) return Object.keys(value);
  throw new Error("neither a list nor a map");
}

/** `left && right` where the left side may fail: a right side that is false decides all the same. */
export function and(left: () => unknown, right: () => unknown): boolean {
  return decide(left, right, false);
}

/** `left || right` where the left side may fail: a right side that is true decides all the same. */
export function or(left: () => unknown, right: () => unknown): boolean {
  return decide(left, right, true);
}

function decide(left: () => unknown, right: () => unknown, deciding: boolean): boolean {
  try {
    if (left() === deciding) return deciding;
  } catch (error) {
    if (right() === deciding) return deciding;
    throw error;
  }
  return right() === true;
}

/** Whether a value is an item of a list or a key of a map. */
export function within(value: unknown, container: unknown): boolean {
  return Array.isArray(container) ? container.includes(value) : Object.hasOwn(container as object, String(value));
}

/** Characters of a text, items of a list, entries of a map. */
export function size(value: unknown): number {
  if (typeof value !== "string") return members(value).length;
  // counting signs one by one is slow, and hardly a text has one of two units
  return /[\ud800-\udbff]/.test(value) ? Array.from(value).length : value.length;
}

const expressions = new Map<string, RegExp>();

/** Whether an expression matches somewhere in a text. The expressions are those of the schemas, never a user's. */
export function matches(text: string, expression: string): boolean {
  let known = expressions.get(expression);
  if (known === undefined) {
    const caseless = expression.includes("(?i)");
    known = new RegExp(expression.replace("(?i)", ""), caseless ? "iu" : "u");
    expressions.set(expression, known);
  }
  if (typeof text !== "string") throw new Error("not a text");
  return known.test(text);
}

/** A number from its decimal form. */
export function int(value: unknown): number {
  const text = String(value);
  if (!/^[+-]?\d+$/.test(text)) throw new Error(`not a number: ${text}`);
  return Number(text);
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 6e10,
  h: 3.6e12,
};

const durations = new Map<string, number>();

/** A duration in nanoseconds. Meshes have few different ones: they are remembered, up to a limit. */
export function duration(value: unknown): number {
  const text = String(value);
  const known = durations.get(text);
  if (known !== undefined) return known;
  const read = readDuration(text);
  if (durations.size < 1000) durations.set(text, read);
  return read;
}

function readDuration(text: string): number {
  const unsigned = text.replace(/^[+-]/, "");
  if (unsigned === "0") return 0;
  if (!/^((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(unsigned)) throw new Error(`not a duration: ${text}`);
  const parts = [...unsigned.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)];
  const sum = parts.reduce((total, [, count, unit]) => total + Number(count) * (UNITS[unit ?? ""] ?? 0), 0);
  return text.startsWith("-") ? -sum : sum;
}

interface Url {
  readonly scheme: string;
}

/** A URL as the API server reads it: absolute, or a path from the root. */
export function url(value: unknown): Url {
  const text = String(value);
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase() ?? "";
  const rest = (scheme === "" ? text : text.slice(scheme.length + 1)).replace(/\?.*$/s, "");
  const rooted = rest.startsWith("/");
  if (hasControls(text) || /%(?![0-9a-f]{2})/i.test(rest) || (scheme === "" && !rooted))
    throw new Error(`not a URL: ${text}`);
  if (scheme !== "" && rest.startsWith("//") && !hasHost(rest)) throw new Error(`not a URL: ${text}`);
  return { scheme };
}

/** Whether the host of `//user@host:port/path` has the form of one. */
function hasHost(rest: string): boolean {
  const host = rest.slice(2).replace(/\/.*$/s, "").replace(/^.*@/, "");
  return /^(\[[^\]]*\]|[^:]*)(:\d*)?$/.test(host) && !/[\s"<>\\^`{|}]/.test(host);
}

function hasControls(text: string): boolean {
  return Array.from(text).some((character) => character < " " || character === "\u007f");
}

/** Whether a text is a URL. */
export function isURL(value: unknown): boolean {
  try {
    url(value);
    return true;
  } catch {
    return false;
  }
}

export function getScheme(of: Url): string {
  return of.scheme;
}

/** Whether a text is an IP address. */
export function isIP(value: unknown): boolean {
  // not imported: loading the module costs every start 2 ms, and one rule asks
  return process.getBuiltinModule("node:net").isIP(String(value)) !== 0;
}
