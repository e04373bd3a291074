import { type CheckResult, runChecks } from "../checks/check.ts";
import { precheckChecks } from "../checks/precheck.ts";
import { toYaml } from "../resources/yaml-plain.ts";
import { globalOptions, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

export interface PrecheckOptions {
  readonly istioNamespace: string;
  readonly output: "table" | "json" | "yaml";
}

/** The data of `-o json`: every check, also those that were skipped and why. */
export interface PrecheckResult extends CommandResult {
  readonly checks: readonly CheckResult[];
}

/** `meshctl precheck`: exit code 1 when a check failed, 2 when the cluster cannot be reached at all. */
export async function run(input: CommandInput, io: Io): Promise<PrecheckResult> {
  const output = textOption(input, "output");
  return precheck(
    {
      istioNamespace: globalOptions(input).istioNamespace,
      output: output === "json" || output === "yaml" ? output : "table",
    },
    io,
  );
}

/** Runs all checks and prints them. Throws ClusterError when the API does not answer: then nothing was checked. */
export async function precheck(options: PrecheckOptions, io: Io): Promise<PrecheckResult> {
  const cluster = await io.cluster();
  await cluster.version();
  const checks = await runChecks(precheckChecks, cluster, { istioNamespace: options.istioNamespace });
  const failed = checks.filter(({ status }) => status === "error");
  if (options.output === "json") io.out(`${JSON.stringify({ checks }, undefined, 2)}\n`);
  else if (options.output === "yaml") io.out(toYaml({ checks }));
  else {
    io.out(checkText(checks));
    const summary = "The mesh can be installed into this cluster";
    io.err(failed.length === 0 ? `✔ ${summary}.\n` : `✘ ${failed.length} of ${checks.length} checks failed.\n`);
  }
  return { exitCode: failed.length === 0 ? 0 : 1, checks };
}

const MARKS = { ok: "✔", warning: "‼", error: "✘", skipped: "-" } as const;

/** Checks as lines under their categories; what to do below each that does not hold. */
export function checkText(checks: readonly CheckResult[]): string {
  const categories = [...new Set(checks.map(({ category }) => category))];
  return categories
    .map((category) => {
      const lines = checks.filter((check) => check.category === category).flatMap(checkLines);
      return `${category}\n${lines.map((line) => `  ${line}\n`).join("")}`;
    })
    .join("");
}

function checkLines({ status, affirmation, message, hint }: CheckResult): string[] {
  if (status === "ok" || status === "skipped")
    return [`${MARKS[status]} ${affirmation}${message === undefined ? "" : ` (${message})`}`];
  return [`${MARKS[status]} ${affirmation}`, `    ${message ?? ""}`, `    ${hint ?? ""}`];
}
