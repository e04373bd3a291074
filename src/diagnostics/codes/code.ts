import type { Level } from "../finding.ts";

/** Values that a message is made from. */
export type CodeArgs = Readonly<Record<string, string | number>>;

/** What a code means. Words are made here and nowhere else. */
export interface CodeRecord<Args extends CodeArgs> {
  /** Istio's name for its codes, ours in the same form. */
  readonly name: string;
  readonly level: Level;
  /** One sentence for lists and for the page's heading. */
  readonly summary: string;
  /** What is wrong, with the values. */
  readonly message: (args: Args) => string;
  /** What to do, starting with a verb. */
  readonly hint: (args: Args) => string | undefined;
}

/** Declares a code; its arguments are typed by its words. */
export function code<Args extends CodeArgs>(record: CodeRecord<Args>): CodeRecord<Args> {
  return record;
}
