import type { EnvoyPatch } from "../../ir/envoy-patch.ts";
import { type Loose } from "./message.ts";
import { mergedMessage } from "./merge.ts";

/** A patch with its value in the form we encode. */
export interface ReadyPatch {
  readonly patch: EnvoyPatch;
  readonly value: Loose;
}

/** What a list's items are and where new ones belong. */
export interface ListPlan {
  /** Full name of the items' message. */
  readonly type: string;
  /** Whether an item is the one that the patch is about. */
  readonly matches: (item: Loose, patch: EnvoyPatch) => boolean;
  /** Whether a patch says which item at all; one that names none is about each. */
  readonly isNamed: (patch: EnvoyPatch) => boolean;
  /** Where ADD puts an item. */
  readonly addAt: (items: readonly Loose[], patch: EnvoyPatch) => number;
}

/** A list after one patch; the same list when the patch is not about anything in it. */
export function patchedList(items: readonly Loose[], ready: ReadyPatch, plan: ListPlan): readonly Loose[] {
  const { patch, value } = ready;
  const { operation } = patch;
  if (operation === "ADD" || operation === "INSERT_FIRST") {
    return inserted(items, operation === "ADD" ? plan.addAt(items, patch) : 0, value);
  }
  if (!items.some((item) => plan.matches(item, patch))) return items;
  if (operation === "INSERT_BEFORE" || operation === "INSERT_AFTER") {
    const at = items.findIndex((item) => plan.matches(item, patch));
    const isBefore = operation === "INSERT_BEFORE";
    // Without a neighbour it is the first, or the last.
    if (!plan.isNamed(patch)) return inserted(items, isBefore ? 0 : items.length, value);
    return inserted(items, isBefore ? at : at + 1, value);
  }
  return items.flatMap((item) => (plan.matches(item, patch) ? changed(item, ready, plan) : item));
}

/** What stands in place of an item. */
function changed(item: Loose, { patch, value }: ReadyPatch, { type }: ListPlan): Loose | readonly Loose[] {
  if (patch.operation === "REMOVE") return [];
  if (patch.operation === "REPLACE") return value;
  const lists = patch.operation === "MERGE" ? "join" : "replace";
  return { ...mergedMessage(type, item, value, lists), ...nameOf(item) };
}

/** Tools and other patches know an item by its name: it stays. */
function nameOf({ name }: Loose): Loose {
  return name === undefined ? {} : { name };
}

function inserted(items: readonly Loose[], at: number, value: Loose): readonly Loose[] {
  return [...items.slice(0, at), value, ...items.slice(at)];
}
