import { ClusterError, errorText, MeshError } from "../base/errors.ts";
import { NOT_IN_BUNDLE } from "../base/redacted.ts";
import type { ClusterReader } from "../resources/cluster.ts";
import { type CheckContext, createFacts, type Facts } from "./facts.ts";

export type { CheckContext } from "./facts.ts";

/** One thing that must hold. The affirmation is printed whether it does or not, so it says the good case. */
export interface Check {
  /** kebab-case, unique; the anchor of its entry in docs/checks/README.md */
  readonly name: string;
  readonly category: string;
  /** "permissions to create all objects" */
  readonly affirmation: string;
  /** What to do when it does not hold, starting with a verb. */
  readonly hint: string;
  /** What goes wrong for users when it does not hold: the text of its page. */
  readonly about: string;
  /** A warning does not make the command fail. */
  readonly severity: "error" | "warning";
  /** `before`: by precheck alone; `after`: by check alone. Default: by both. */
  readonly phase?: Phase;
  /** When it does not hold nothing that needs a cluster makes sense: the others are skipped. */
  readonly fatal?: boolean;
  /** Checks that have to hold for this one to make sense. */
  readonly needs?: readonly string[];
  readonly run: (facts: Facts) => Promise<Outcome>;
}

/** Before an installation or upgrade, or at any time after it. */
export type Phase = "before" | "after";

/** A check as a category's file writes it. */
export type CheckRecord = Omit<Check, "category">;

export type Outcome =
  | { readonly status: "ok"; readonly note?: string }
  | { readonly status: "failed"; readonly message: string }
  | { readonly status: "skipped"; readonly reason: string };

/** What a check came to. `message` is the note, the failure or the reason for skipping. */
export interface CheckResult {
  readonly name: string;
  /** Of a mesh of several clusters: which was looked at. */
  readonly cluster?: string;
  readonly category: string;
  readonly affirmation: string;
  readonly status: "ok" | "warning" | "error" | "skipped";
  readonly message?: string;
  readonly hint?: string;
  /** Where the check is explained. */
  readonly page?: string;
}

/** Page of every check of ours. */
export const CHECKS_PAGE = "docs/checks/README.md";

/** It holds; the note is a fact worth seeing. */
export const ok = (note?: string): Outcome => ({ status: "ok", ...(note === undefined ? {} : { note }) });
/** It does not hold. */
export const failed = (message: string): Outcome => ({ status: "failed", message });
/** It cannot be said, or does not apply here. */
export const skipped = (reason: string): Outcome => ({ status: "skipped", reason });

const SHOWN = 5;

/** Holds when there is no problem. Of many problems the first few are told. */
export function verdict(problems: readonly string[], note?: string): Outcome {
  if (problems.length === 0) return ok(note);
  const more = problems.length - SHOWN;
  const shown = [...problems].sort().slice(0, SHOWN).join("; ");
  return failed(more > 0 ? `${shown}; and ${more} more` : shown);
}

/** The checks of a category. */
export function category(title: string, checks: readonly CheckRecord[]): readonly Check[] {
  return checks.map((check) => ({ ...check, category: title }));
}

/** A check may ask several questions, one after the other; each has a limit of its own too. */
const CHECK_TIMEOUT_MS = 60_000;

/**
 * Runs checks at the same time, each after those that it needs; results are in the order of the list. A check that cannot ask the
 * cluster has failed, with the cluster's words; one whose needs do not hold is skipped.
 */
export async function runChecks(
  checks: readonly Check[],
  cluster: ClusterReader,
  context: CheckContext,
): Promise<readonly CheckResult[]> {
  const facts = createFacts(cluster, context);
  const fatal = checks.filter((check) => check.fatal === true);
  const byName = new Map(checks.map((check) => [check.name, check]));
  const started = new Map<string, Promise<CheckResult>>();
  const start = (check: Check): Promise<CheckResult> => {
    const known = started.get(check.name);
    if (known !== undefined) return known;
    const result = one(check);
    started.set(check.name, result);
    return result;
  };
  const one = async (check: Check): Promise<CheckResult> => {
    const needed = (check.needs ?? []).flatMap((name) => byName.get(name) ?? []);
    const before = check.fatal === true ? needed : [...fatal, ...needed];
    const results = await Promise.all(before.map(start));
    const broken = results.find(({ status }) => status !== "ok");
    if (broken !== undefined) return resultOf(check, skipped(`needs: ${broken.affirmation}`));
    return resultOf(check, await limited(check.run(facts)).catch(asFailure));
  };
  return Promise.all(checks.map(start));
}

async function limited(outcome: Promise<Outcome>): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve(failed(`no answer within ${CHECK_TIMEOUT_MS / 1000} s`)), CHECK_TIMEOUT_MS);
  });
  return Promise.race([outcome, late]).finally(() => clearTimeout(timer));
}

function asFailure(error: unknown): Outcome {
  if (!(error instanceof ClusterError) && !(error instanceof MeshError)) throw error;
  if (error.code === NOT_IN_BUNDLE) return skipped(error.message);
  return failed(errorText(error));
}

function resultOf(check: Check, outcome: Outcome): CheckResult {
  const { name, category: title, affirmation } = check;
  const base = { name, category: title, affirmation, page: `${CHECKS_PAGE}#${name}` };
  if (outcome.status === "failed")
    return { ...base, status: check.severity, message: outcome.message, hint: check.hint };
  const message = outcome.status === "ok" ? outcome.note : outcome.reason;
  return { ...base, status: outcome.status, ...(message === undefined ? {} : { message }) };
}
