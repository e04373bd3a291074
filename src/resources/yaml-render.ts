import { resolvePlain } from "./yaml-scalars.ts";

/** Whether a value is written on lines of its own below its key. */
export function isBlockValue(value: unknown): boolean {
  if (typeof value === "string") return value.includes("\n");
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

/** Lines moved to a column; blank ones stay blank. */
export function padded(text: string, column: number, eol: string): string {
  const space = " ".repeat(Math.max(0, column));
  return text
    .split("\n")
    .map((line) => (line === "" ? "" : space + line))
    .join(eol);
}

/** A value on one line, in brackets or braces if it is a collection; as JSON where the text around it is. */
export function flowText(value: unknown, json: boolean): string {
  if (Array.isArray(value)) return `[${value.map((item) => flowText(item, json)).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).map(
      ([key, member]) => `${flowKeyText(key, json)}: ${flowText(member, json)}`,
    );
    if (members.length === 0) return "{}";
    return json ? `{${members.join(", ")}}` : `{ ${members.join(", ")} }`;
  }
  return typeof value === "string" ? textOf(value, json) : JSON.stringify(value ?? null);
}

/** A key, quoted where it needs quotes. */
export function flowKeyText(key: string, json: boolean): string {
  return textOf(key, json);
}

const SAFE = /^[A-Za-z_/][A-Za-z0-9_./-]*$/;

function textOf(text: string, json: boolean): string {
  if (!json && SAFE.test(text) && typeof resolvePlain(text) === "string") return text;
  return JSON.stringify(text).replaceAll(
    /[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
