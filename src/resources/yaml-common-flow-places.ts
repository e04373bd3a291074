import type { FieldPath } from "../diagnostics/finding.ts";
import { type Flow, flowKey, readFlow, skip } from "./yaml-common-flow.ts";
import { CLOSE_LIST, CLOSE_MAP, COMMA, OPEN_LIST, OPEN_MAP } from "./yaml-common-words.ts";

/** A value in a text, and where the field or item begins that it is the value of. */
interface Start {
  readonly at: number;
  readonly parent: number;
}

/**
 * The offset of a field inside a flow collection that the common reader took; undefined when the path leads into a text. A missing
 * field gives its nearest existing parent.
 */
export function flowPlace(text: string, start: Start, path: FieldPath, of: "key" | "value"): number | undefined {
  let { at, parent } = start;
  for (const [index, step] of path.entries()) {
    const code = text.charCodeAt(at);
    if (code !== OPEN_MAP && code !== OPEN_LIST) return undefined;
    const found = code === OPEN_MAP ? memberOf(text, at, String(step)) : itemOf(text, at, step);
    if (found === undefined) return parent;
    if (index === path.length - 1) return of === "value" ? found.at : found.parent;
    ({ at, parent } = found);
  }
  return parent;
}

function memberOf(text: string, open: number, key: string): Start | undefined {
  const flow: Flow = { at: open + 1 };
  for (let code = skip(text, flow); code !== CLOSE_MAP; code = skip(text, flow)) {
    const parent = flow.at;
    const name = flowKey(text, flow, code);
    skip(text, flow);
    if (name === key) return { at: flow.at, parent };
    pass(text, flow);
  }
  return undefined;
}

function itemOf(text: string, open: number, step: string | number): Start | undefined {
  const flow: Flow = { at: open + 1 };
  for (let index = 0; skip(text, flow) !== CLOSE_LIST; index += 1) {
    if (index === Number(step)) return { at: flow.at, parent: flow.at };
    pass(text, flow);
  }
  return undefined;
}

/** Goes behind a value and the comma that follows it. */
function pass(text: string, flow: Flow): void {
  readFlow(text, flow, 0);
  if (skip(text, flow) === COMMA) flow.at += 1;
}
