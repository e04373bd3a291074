import { ClusterError, errorText } from "../base/errors.ts";
import type { ClusterReader } from "../resources/cluster.ts";

/** What a check looks at besides the cluster. */
export interface CheckContext {
  /** Namespace of the control plane. */
  readonly istioNamespace: string;
}

/** One thing that must hold. The affirmation is printed whether it does or not, so it says the good case. */
export interface Check {
  /** kebab-case, unique */
  readonly name: string;
  readonly category: string;
  /** "permissions to create all objects" */
  readonly affirmation: string;
  /** What to do when it does not hold, starting with a verb. */
  readonly hint: string;
  /** A warning does not make the command fail. */
  readonly severity: "error" | "warning";
  /** When it does not hold nothing after it is run. */
  readonly fatal?: boolean;
  readonly run: (cluster: ClusterReader, context: CheckContext) => Promise<Outcome>;
}

export type Outcome =
  | { readonly status: "ok"; readonly note?: string }
  | { readonly status: "failed"; readonly message: string }
  | { readonly status: "skipped"; readonly reason: string };

/** What a check came to. `message` is the note, the failure or the reason for skipping. */
export interface CheckResult {
  readonly name: string;
  readonly category: string;
  readonly affirmation: string;
  readonly status: "ok" | "warning" | "error" | "skipped";
  readonly message?: string;
  readonly hint?: string;
}

/** Runs checks in order. A check that cannot ask the cluster has failed, with the cluster's words; after a fatal failure the rest is skipped. */
export async function runChecks(
  checks: readonly Check[],
  cluster: ClusterReader,
  context: CheckContext,
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  let broken: string | undefined;
  for (const check of checks) {
    const outcome: Outcome =
      broken === undefined
        ? await check.run(cluster, context).catch(asFailure)
        : { status: "skipped", reason: `needs: ${broken}` };
    results.push(resultOf(check, outcome));
    if (outcome.status === "failed" && check.fatal === true) broken = check.affirmation;
  }
  return results;
}

function asFailure(error: unknown): Outcome {
  if (!(error instanceof ClusterError)) throw error;
  return { status: "failed", message: errorText(error) };
}

function resultOf(check: Check, outcome: Outcome): CheckResult {
  const { name, category, affirmation } = check;
  if (outcome.status === "failed")
    return { name, category, affirmation, status: check.severity, message: outcome.message, hint: check.hint };
  const message = outcome.status === "ok" ? outcome.note : outcome.reason;
  return { name, category, affirmation, status: outcome.status, ...(message === undefined ? {} : { message }) };
}
