import { toYaml } from "./yaml-plain.ts";
import { resolvePlain } from "./yaml-scalars.ts";

/**
 * A value in block style, without the last line end: letter by letter what toYaml writes, several times faster, for what is
 * written into documents by the thousand. Invariant: test/resources/yaml-block.test.ts.
 */
export function blockText(value: unknown): string {
  return (isCollection(value) ? linesOf(value, "") : undefined) ?? toYaml(value).replace(/\n$/, "");
}

function isCollection(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** The lines of a map or list with entries, the first one without its indentation; undefined for what needs the library. */
function linesOf(value: object, indent: string): string | undefined {
  const entries = Array.isArray(value)
    ? (value as unknown[]).map((item) => ["-", item] as const)
    : Object.entries(value);
  if (entries.length === 0) return undefined;
  const lines: string[] = [];
  for (const [key, member] of entries) {
    const head = Array.isArray(value) ? "-" : keyText(key);
    const text = head === undefined ? undefined : memberText(member, indent, Array.isArray(value));
    if (text === undefined) return undefined;
    lines.push(`${head}${text}`);
  }
  return lines.join(`\n${indent}`);
}

/** What stands behind a dash or a key, with the space or line end before it. */
function memberText(member: unknown, indent: string, isOfList: boolean): string | undefined {
  if (!isCollection(member)) return scalarText(member);
  if (Object.keys(member).length === 0) return Array.isArray(member) ? " []" : " {}";
  const deeper = `${indent}  `;
  const inner = linesOf(member, deeper);
  if (inner === undefined) return undefined;
  return isOfList ? ` ${inner}` : `\n${deeper}${inner}`;
}

function keyText(key: string): string | undefined {
  const text = key === "" || key.length > 100 ? undefined : stringText(key);
  return text === undefined ? undefined : `${text}:`;
}

function scalarText(value: unknown): string | undefined {
  const text =
    typeof value === "string"
      ? stringText(value)
      : isPlainNumber(value) || typeof value === "boolean"
        ? String(value)
        : undefined;
  return text === undefined ? undefined : ` ${text}`;
}

/** A whole number that is written as it reads; -0 is not. */
function isPlainNumber(value: unknown): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

const SAFE = /^[A-Za-z_/][A-Za-z0-9_./-]*$/;

/** Texts as the library writes them on one line: the same ones come again and again. */
const written = new Map<string, string>();
const MOST_WRITTEN = 5_000;

function stringText(text: string): string | undefined {
  if (text.includes("\n")) return undefined;
  const found = written.get(text);
  if (found !== undefined) return found;
  const made = SAFE.test(text) && typeof resolvePlain(text) === "string" ? text : toYaml(text).replace(/\n$/, "");
  if (written.size >= MOST_WRITTEN) written.clear();
  written.set(text, made);
  return made;
}
