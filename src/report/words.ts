import type { Finding, Level, ObjectRef, SourcePosition } from "../diagnostics/finding.ts";

/** `Kind ns/name`, or `Kind name` for a cluster-scoped object; "" for none. */
export function originOf(object: ObjectRef | undefined): string {
  if (object === undefined) return "";
  const { kind, namespace, name } = object;
  return namespace === "" ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/** `file:line:column`; "" for none. */
export function placeText(position: SourcePosition | undefined): string {
  return position === undefined ? "" : `${position.file}:${position.line}:${position.column}`;
}

/** Whether a position is in a file of the user's, which a code review can point at; standard input is none. */
export function inFile(position: SourcePosition | undefined): position is SourcePosition {
  return position !== undefined && position.file !== "stdin";
}

/** How many findings there are of each level. */
export function countLevels(findings: readonly Finding[]): Readonly<Record<Level, number>> {
  const counts = { Error: 0, Warning: 0, Info: 0 };
  for (const { level } of findings) counts[level] += 1;
  return counts;
}

/** `2 errors, 1 warning, 3 notes`; levels without findings are left out, `no findings` for none at all. */
export function countText(findings: readonly Finding[]): string {
  const counts = countLevels(findings);
  const words = { Error: "error", Warning: "warning", Info: "note" } as const;
  const parts = (["Error", "Warning", "Info"] as const).flatMap((level) => {
    const count = counts[level];
    return count === 0 ? [] : [`${count} ${words[level]}${count === 1 ? "" : "s"}`];
  });
  return parts.length === 0 ? "no findings" : parts.join(", ");
}

/** Words on one line, without characters that would move a terminal's cursor. */
export function oneLine(words: string): string {
  return words.replaceAll(/\p{Cc}+/gu, " ");
}
