/**
 * The one meaning of a plain YAML scalar: what kubectl and the API server make of it (YAML 1.1 booleans as go-yaml v2 has
 * them, its numbers with prefixes and underscores; dates and sexagesimal numbers stay text). Held to real kubectl by
 * test/e2e/apiserver/yaml-scalars.test.ts. Both readers resolve scalars here and nowhere else.
 */
export function resolvePlain(text: string): string | number | boolean | null {
  const first = text.charCodeAt(0);
  // digits, sign and dot may begin a number; every other first character can at most begin a word of the table
  if ((first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46) return numberOf(text) ?? text;
  const word = WORDS.get(text);
  return word === undefined ? text : word;
}

const WORDS: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ...["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"].map((w) => [w, true] as const),
  ...["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"].map((w) => [w, false] as const),
  ...["", "~", "null", "Null", "NULL"].map((w) => [w, null] as const),
]);

const INTEGER = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

/** Words for numbers that JSON cannot carry; kubectl refuses them as well. */
const NOT_JSON = /^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/;

function numberOf(text: string): number | undefined {
  const plain = text.includes("_") && text.charCodeAt(0) !== 46 ? text.replaceAll("_", "") : text;
  if (INTEGER.test(plain)) return integerOf(plain);
  if (FLOAT.test(plain)) {
    const value = Number(plain);
    return Number.isFinite(value) ? value : undefined;
  }
  if (NOT_JSON.test(text)) throw new NotJsonNumber(`${text} is no number that JSON knows`);
  return undefined;
}

function integerOf(plain: string): number {
  const negative = plain.startsWith("-");
  const digits = /^[-+]/.test(plain) ? plain.slice(1) : plain;
  const octal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
  const value = Number(octal);
  return negative && value !== 0 ? -value : value;
}

/** An infinite number or NaN in a YAML text. */
export class NotJsonNumber extends Error {}
