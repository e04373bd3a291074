import type { Finding, Level } from "../../diagnostics/finding.ts";
import type { Io } from "../io.ts";
import type { Compared } from "./baseline.ts";
import type { Checked } from "./check.ts";
import type { LiveCluster } from "./live.ts";
import type { AnalyzeOptions } from "./options.ts";

const RANK: Readonly<Record<Level, number>> = { Info: 0, Warning: 1, Error: 2 };

/** 2: a text could not be read; 1: a finding of the threshold, or with --strict something was skipped; else 0. */
export function exitCodeOf(
  findings: readonly Finding[],
  { skipped, findings: all }: Pick<Checked, "skipped" | "findings">,
  { failureThreshold, strict = false }: AnalyzeOptions,
): 0 | 1 | 2 {
  if (all.some(isUnreadable)) return 2;
  if (strict && skipped.length > 0) return 1;
  return findings.some(({ level }) => RANK[level] >= RANK[failureThreshold]) ? 1 : 0;
}

function isUnreadable({ code }: Finding): boolean {
  return code === "MSH0001";
}

interface Conclusion {
  readonly findings: readonly Finding[];
  readonly compared: Compared | undefined;
  readonly exitCode: 0 | 1 | 2;
}

/** istioctl's closing words, on stderr. */
export function conclude({ findings, compared, exitCode }: Conclusion, options: AnalyzeOptions, io: Io): void {
  const target = targetOf(options);
  if (compared !== undefined) {
    const { introduced, fixed, unchanged } = compared;
    const from = options.newSince === undefined ? `Against ${options.baseline ?? ""}` : `Since ${options.newSince}`;
    io.err(`${from}: ${introduced.length} introduced, ${fixed} fixed, ${unchanged.length} unchanged.\n`);
  }
  if (findings.some(isUnreadable)) io.err("Error: Some files couldn't be parsed.\n");
  else if (findings.length === 0 && exitCode === 0) io.err(`✔ No validation issues found when analyzing ${target}.\n`);
  else if (findings.length === 0) io.err("Error: Some analyzers were skipped, and --strict was given.\n");
  else if (exitCode === 1)
    io.err(
      `Error: Analyzers found issues when analyzing ${target}.\nRun meshctl explain CODE for more information about causes and resolutions.\n`,
    );
}

function targetOf({ sources, allNamespaces, namespace }: AnalyzeOptions): string {
  if (sources.length > 0) return sources.join(", ");
  return allNamespaces ? "all namespaces" : `namespace: ${namespace}`;
}

/** What `-v` tells: what was looked at, by whom, and by whom not. */
export function tellVerbose(
  { objects, executed, skipped }: Checked,
  clusters: readonly LiveCluster[],
  options: AnalyzeOptions,
  io: Io,
): void {
  const list = (title: string, lines: readonly string[]): string =>
    `${title}\n${lines.map((line) => `  * ${line}\n`).join("")}`;
  io.err(`Analyzed ${objects} objects: ${targetOf(options)}\n`);
  // there can be no objects of these: nothing is missed
  for (const { name, unserved } of clusters)
    if (unserved.size > 0) io.err(list(`Kinds that cluster ${name} does not have:`, [...unserved].toSorted()));
  if (skipped.length > 0)
    io.err(
      list(
        "Skipped analyzers:",
        skipped.map(({ name, reason }) => `${name} (${reason})`),
      ),
    );
  io.err(list("Executed analyzers:", executed));
}
