import type { Difference } from "./walk.ts";

/** A difference that somebody looked at and found right; `**` in `kind` and `path` stands for anything. */
export interface Justified {
  readonly kind: string;
  readonly path: string;
  readonly what: string;
  readonly reason: string;
}

export interface Judged {
  /** Differences that no entry covers, as `Kind path: what theirs -> ours`. */
  readonly open: readonly string[];
  /** Entries that cover nothing, and those without a reason. */
  readonly unused: readonly Justified[];
}

/** Differences against the reviewed list: what is open, and which entries are of no use. */
export function judge(differences: readonly Difference[], justified: readonly Justified[]): Judged {
  const used = new Set<Justified>();
  const open = differences.filter((difference) => {
    const entry = justified.find((one) => covers(one, difference));
    if (entry !== undefined) used.add(entry);
    return entry === undefined;
  });
  return {
    open: open.map(({ kind, path, what, theirs, ours }) => `${kind} ${path}: ${what} ${theirs} -> ${ours}`),
    unused: justified.filter((entry) => !used.has(entry) || entry.reason.trim() === ""),
  };
}

function covers(entry: Justified, difference: Difference): boolean {
  return matches(entry.kind, difference.kind) && entry.what === difference.what && matches(entry.path, difference.path);
}

function matches(pattern: string, value: string): boolean {
  const source = pattern.split("**").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${source.join(".*")}$`).test(value);
}
