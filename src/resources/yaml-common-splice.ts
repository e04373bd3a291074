import type { FieldPath } from "../diagnostics/finding.ts";
import { type Block, firstContent, isItem, itemOf, memberOf, nextLine } from "./yaml-common-places.ts";
import { blockText } from "./yaml-block.ts";
import type { YamlChange } from "./yaml-change.ts";
import { flowText, isBlockValue, padded } from "./yaml-render.ts";
import type { Splice } from "./yaml-splice.ts";

/**
 * What spliceOf (yaml-splice.ts) gives, found by indentation alone in a document that the common reader takes: keys and items that
 * are new in block maps and lists, and other scalars in the place of scalars. Undefined for all else: the precise reader has to
 * look. Whoever applies it reads the result back.
 */
export function commonSplice(text: string, change: YamlChange & { readonly path: FieldPath }): Splice | undefined {
  const holder = holderOf(text, change.path.slice(0, -1));
  const step = change.path.at(-1);
  if (holder === undefined || step === undefined) return undefined;
  if (change.type === "insert")
    return isItem(text, holder.at) ? inserted(text, holder, change.value, Number(step)) : undefined;
  if (change.type !== "set" || isItem(text, holder.at)) return undefined;
  const found = memberOf(text, holder, String(step));
  if (found === undefined) return behind(text, holder, { [String(step)]: change.value });
  if (found.value === undefined || found.block !== undefined || isBlockValue(change.value)) return undefined;
  const end = scalarEnd(text, found.value);
  return end === undefined ? undefined : { start: found.value, end, text: flowText(change.value, false) };
}

/** The block map or list at a path. */
function holderOf(text: string, path: FieldPath): Block | undefined {
  let block = firstContent(text, 0);
  for (const step of path) {
    if (block === undefined) return undefined;
    const member = isItem(text, block.at) ? itemOf(text, block, step) : memberOf(text, block, String(step));
    block = member?.block;
  }
  return block;
}

function inserted(text: string, list: Block, value: unknown, index: number): Splice | undefined {
  const starts = itemStarts(text, list);
  if (index === starts.length) return behind(text, list, [value]);
  const start = starts[index];
  if (start === undefined || text.slice(start, start + list.column).trim() !== "") return undefined;
  const above = commentsAbove(text, start, list.column);
  return { start: above, end: above, text: `${padded(blockText([value]), list.column, "\n")}\n` };
}

/** Beginnings of the lines on which items stand. */
function itemStarts(text: string, list: Block): readonly number[] {
  const starts: number[] = [];
  const end = endOf(text, list);
  for (let line = text.lastIndexOf("\n", list.at - 1) + 1; line < end; line = nextLine(text, line)) {
    const at = line + list.column;
    if (at === list.at || (isItem(text, at) && text.slice(line, at).trim() === "")) starts.push(line);
  }
  return starts;
}

/** On lines of its own behind the last one of a block. */
function behind(text: string, block: Block, value: unknown): Splice {
  const at = endOf(text, block);
  const lines = padded(blockText(value), block.column, "\n");
  const isOpen = at > 0 && text[at - 1] !== "\n";
  return { start: at, end: at, text: isOpen ? `\n${lines}` : `${lines}\n` };
}

/** Offset of the line behind the last one with content of a block. */
function endOf(text: string, { at, column }: Block): number {
  const ofList = isItem(text, at);
  let end = nextLine(text, at);
  for (let line = firstContent(text, end); line !== undefined; line = firstContent(text, end)) {
    if (line.column < column || (line.column === column && ofList && !isItem(text, line.at))) break;
    end = nextLine(text, line.at);
  }
  return end;
}

/** Where the comment lines right above a line begin that stand as deep as it. */
function commentsAbove(text: string, start: number, column: number): number {
  const mark = `${" ".repeat(column)}#`;
  let at = start;
  while (at > 0) {
    const above = text.lastIndexOf("\n", at - 2) + 1;
    if (!text.startsWith(mark, above)) break;
    at = above;
  }
  return at;
}

/** Behind a scalar on one line; undefined for what may be more than that. */
function scalarEnd(text: string, at: number): number | undefined {
  const pattern = SCALARS[text.charAt(at)] ?? PLAIN;
  pattern.lastIndex = at;
  const [found] = pattern.exec(text) ?? [];
  return found === undefined ? undefined : at + found.trimEnd().length;
}

const SCALARS: Readonly<Record<string, RegExp>> = { '"': /"(?:[^"\\\n]|\\[^\n])*"/y, "'": /'(?:[^'\n]|'')*'/y };
const PLAIN = /[A-Za-z0-9_./-](?:[^\n#]|(?<=\S)#)*/y;
