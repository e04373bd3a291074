import type { FieldPath, ObjectRef } from "./refs.ts";

/** Where a piece of IR comes from, and what wanted to decide it and lost. `trace-route`, `--why` and `describe` read this. */
export interface Provenance {
  readonly from: ObjectRef;
  /** The field of `from` that decided it; empty for the whole object. */
  readonly path: FieldPath;
  /** Objects that also spoke for this and were not followed, with the rule that decided, e.g. "older VirtualService wins". */
  readonly lost: readonly { readonly from: ObjectRef; readonly path: FieldPath; readonly reason: string }[];
}
