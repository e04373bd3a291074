/** A part of a text between two `---` lines. */
export interface DocumentText {
  readonly text: string;
  /** Offset at which it begins. */
  readonly start: number;
  /** Lines before it. */
  readonly line: number;
  /** How many `---` lines stand before it. */
  readonly index: number;
}

/** Splits as kubectl does: at lines that hold `---` alone. Parts without content are left out. */
export function documentsOf(text: string): readonly DocumentText[] {
  const documents: DocumentText[] = [];
  let line = 0;
  let start = text.startsWith("\uFEFF") ? 1 : 0;
  for (let index = 0; start <= text.length; index += 1) {
    const end = separator(text, start);
    const part = text.slice(start, end?.at ?? text.length);
    if (CONTENT.test(part)) documents.push({ text: part, start, line, index });
    if (end === undefined) break;
    line += countLines(part) + 1;
    start = end.next;
  }
  return documents;
}

/** A line that is more than a comment. A directive counts: kubectl splits it from its document and refuses it. */
const CONTENT = /^[ \t]*[^#\s]/m;

const SEPARATOR = /^---[ \t]*(?:#.*)?$/;

/** The next `---` line from a line's beginning on: where it begins, and the line behind it. */
function separator(text: string, from: number): { readonly at: number; readonly next: number } | undefined {
  let at = text.startsWith("---", from) ? from : nextDashes(text, from);
  for (; at !== -1; at = nextDashes(text, at)) {
    const end = text.indexOf("\n", at);
    const stop = end === -1 ? text.length : end;
    const content = text.slice(at, text.charCodeAt(stop - 1) === 13 ? stop - 1 : stop);
    if (SEPARATOR.test(content)) return { at, next: stop + 1 };
  }
  return undefined;
}

/** Where the next line begins that starts with `---`; -1 for none. */
function nextDashes(text: string, from: number): number {
  const at = text.indexOf("\n---", from);
  return at === -1 ? -1 : at + 1;
}

/** How many lines end in a text. */
export function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}
