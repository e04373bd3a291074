import { isDeepStrictEqual } from "node:util";
import type { FieldPath } from "../diagnostics/finding.ts";
import type { YamlChange } from "./yaml-change.ts";
import { documentsOf } from "./yaml-documents.ts";
import { YamlEditError } from "./yaml-edit-error.ts";
import { parsePrecise } from "./yaml-positions.ts";
import { spliceOf } from "./yaml-splice.ts";
import { readValues, YamlSyntaxError } from "./yaml-values.ts";

export { YamlEditError } from "./yaml-edit-error.ts";

/** One change of a document. `document` counts the `---` lines before it; `path` is in the document. */
export type YamlEdit = { readonly document: number; readonly path: FieldPath } & YamlChange;

/**
 * A text with edits done one after the other: each path is one of the text as the edits before left it, so delete the last items of
 * a list first. Everything that is not edited keeps its bytes: comments, order, quotes, indentation, line ends. The result is read
 * back and must be the edited value, else nothing is changed. Throws YamlEditError; YamlSyntaxError when the text is no YAML.
 */
export function editYaml(text: string, edits: readonly YamlEdit[]): string {
  return edits.reduce(editOnce, text);
}

function editOnce(text: string, edit: YamlEdit): string {
  const document = documentsOf(text).find(({ index }) => index === edit.document);
  if (document === undefined) throw new YamlEditError(`the text has no document ${edit.document}`);
  const splice = spliceOf(document.text, parsePrecise(document.text), edit);
  const edited = document.text.slice(0, splice.start) + splice.text + document.text.slice(splice.end);
  check(document.text, edited, edit);
  return text.slice(0, document.start) + edited + text.slice(document.start + document.text.length);
}

/** The invariant of an edit: the value read back is the value edited, and nothing else. */
function check(before: string, after: string, edit: YamlEdit): void {
  const wanted = changed(readValues(before)[0], edit.path, edit);
  if (isDeepStrictEqual(plain(valueOf(after)), plain(wanted))) return;
  throw new YamlEditError(`${edit.path.join(".")} cannot be edited by itself: its text belongs to other values too`);
}

function valueOf(text: string): unknown {
  try {
    return readValues(text)[0];
  } catch (error) {
    if (error instanceof YamlSyntaxError) return error;
    throw error;
  }
}

/** As the reader gives it: no undefined members. */
function plain(value: unknown): unknown {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as unknown);
}

function changed(value: unknown, path: FieldPath, change: YamlChange): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return change.type === "set" ? change.value : value;
  if (typeof step === "number") return changedList(Array.isArray(value) ? value : [], [step, ...rest], change);
  const entries = Object.entries((value ?? {}) as Record<string, unknown>);
  if (rest.length > 0 || change.type === "set") {
    const inner = entries.find(([name]) => name === step)?.[1];
    const made = changed(inner, rest, change);
    if (entries.some(([name]) => name === step))
      return Object.fromEntries(entries.map(([name, member]) => [name, name === step ? made : member]));
    return Object.fromEntries([...entries, [step, made]]);
  }
  if (change.type === "rename")
    return Object.fromEntries(entries.map(([name, member]) => [name === step ? change.name : name, member]));
  return Object.fromEntries(entries.filter(([name]) => name !== step));
}

function changedList(
  list: readonly unknown[],
  [step, ...rest]: readonly [number, ...FieldPath],
  change: YamlChange,
): unknown {
  const put = (value: unknown): unknown => list.toSpliced(step, 1, value);
  if (rest.length > 0) return put(changed(list[step], rest, change));
  if (change.type === "insert") return list.toSpliced(step, 0, change.value);
  if (change.type === "delete") return list.toSpliced(step, 1);
  return change.type === "set" ? put(change.value) : list;
}
