import type { Analyzer } from "../analyzers/analyzer.ts";
import { analyzers } from "../analyzers/index.ts";
import { sortFindings } from "../analyzers/run.ts";
import { selectAnalyzers } from "../analyzers/select.ts";
import type { Finding, Level } from "../diagnostics/finding.ts";
import { sift } from "../diagnostics/suppressions.ts";
import { meshKinds } from "../gen/mesh-kinds.ts";
import { VERSION } from "../gen/version.ts";
import type { ReportSummary } from "../report/context.ts";
import { KIND_NAMES, type KindName } from "../resources/kinds.ts";
import type { SourceText } from "../resources/manifests.ts";
import type { KubeObject } from "../resources/object.ts";
import { compare, type Compared, type Known, knownOf, readBaseline, writeBaseline } from "./analysis/baseline.ts";
import { checkMesh, type Checked } from "./analysis/check.ts";
import { conclude, exitCodeOf, tellVerbose } from "./analysis/conclude.ts";
import { completeFiles, type FileSet, meshConfigObject, readFiles } from "./analysis/files.ts";
import { type LiveCluster, readClusters } from "./analysis/live.ts";
import { type AnalyzeOptions, readOptions } from "./analysis/options.ts";
import { readProjectFile } from "./analysis/project-file.ts";
import { readDecisions } from "./analysis/suppressions.ts";
import { switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { writeReports } from "./write-reports.ts";

export type { AnalyzeOptions } from "./analysis/options.ts";

/** What an analysis found. */
export interface AnalyzeResult extends CommandResult {
  /** What was told: neither suppressed nor known. */
  readonly findings: readonly Finding[];
  readonly skipped: Checked["skipped"];
}

/** Name of the baseline when nobody names one. */
const BASELINE = ".meshctl-baseline.json";

/** Checks configuration in files, in the cluster, or files on top of the cluster. Exit code 2 when a text is no YAML. */
export async function analyze(options: AnalyzeOptions, io: Io): Promise<AnalyzeResult> {
  const files = await readFiles(options, io);
  const check = await prepare(options, io, files);
  const told = check(files, true);
  if (options.writeBaseline === true) return saveBaseline(told, options, io);
  const known = await readKnown(options, io, check);
  const compared = known === undefined ? undefined : compare(told.findings, known);
  const findings = compared?.introduced ?? told.findings;
  await report({ told, compared, findings, files }, options, io);
  const exitCode = exitCodeOf(findings, told, options);
  conclude({ findings, compared, exitCode }, options, io);
  return { findings, skipped: told.skipped, exitCode };
}

/** Findings that nobody decided against, and what the run left out. */
interface Told extends Checked {
  readonly suppressed: NonNullable<ReportSummary["suppressed"]>;
}

/** Looks at files, and at what does not change between runs. */
interface Checker {
  readonly check: (files: FileSet) => Checked;
  /** What was read of clusters; their objects' annotations decide about findings too. */
  readonly clusters: readonly LiveCluster[];
}

/** Reads what does not change between runs; the returned function checks files (`warn`: and tells of useless flags). */
async function prepare(
  options: AnalyzeOptions,
  io: Io,
  files: FileSet,
): Promise<(files: FileSet, warn: boolean) => Told> {
  const { check, clusters } =
    options.liveStatus === true ? await askedChecker(options, io) : await ownChecker(options, io, files);
  const live: readonly KubeObject[] = options.sources.length === 0 ? clusters.flatMap(({ objects }) => objects) : [];
  const now = io.now();
  return (files, warn) => {
    const checked = check(files);
    const decisions = readDecisions({
      ...files,
      live,
      flags: options.suppress ?? [],
      project: options.project,
    });
    if (warn) for (const warning of decisions.warnings) io.err(`${warning}\n`);
    const sifted = sift([...checked.findings, ...decisions.findings], decisions.suppressions, {
      now,
      judged: (code) => checked.judged.has(code),
    });
    if (warn && options.verbose === true) tellVerbose(checked, clusters, options, io);
    return {
      ...checked,
      findings: sortFindings(sifted.findings),
      suppressed: sifted.suppressed.map(({ finding, suppression: { by, reason } }) => ({ finding, by, reason })),
    };
  };
}

/** The control plane analyzes what it holds. */
async function askedChecker(options: AnalyzeOptions, io: Io): Promise<Checker> {
  const { askControlPlane } = await import("./analysis/live-status.ts");
  const checked = await askControlPlane(options, io);
  return { check: () => checked, clusters: [] };
}

/** This program analyzes files, and what it reads from clusters. */
async function ownChecker(options: AnalyzeOptions, io: Io, files: FileSet): Promise<Checker> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT;
  const timeout = `${timeoutMs / 1000} s`;
  const selected = selectAnalyzers(analyzers, { names: options.analyzers ?? [], profiles: options.profiles ?? [] });
  const { rootNamespace, namespace, sources, allNamespaces } = options;
  const clusters =
    (await readClusters(
      options,
      {
        kinds: KIND_NAMES.filter((name) => isWanted(name, selected)),
        namespace: sources.length === 0 && !allNamespaces ? namespace : undefined,
        rootNamespace,
        deadline: AbortSignal.any([io.signal, AbortSignal.timeout(timeoutMs)]),
        timeout,
      },
      io,
    )) ?? [];
  io.signal.throwIfAborted();
  // what was read in time is analyzed in any case
  const start = performance.now();
  const expired = (): string | undefined =>
    performance.now() - start > timeoutMs ? `not run within ${timeout}` : undefined;
  const now = io.now();
  const objects = [...files.objects.map(({ object }) => object), ...clusters.flatMap((live) => live.objects)];
  const all = [...selected, ...(await patchAnalyzers(objects, options))];
  return {
    check: (current) => checkMesh({ files: current, clusters, analyzers: all, options, now, expired }),
    clusters,
  };
}

/** What makes the configuration of proxies is loaded only where there is something to ask of it. */
async function patchAnalyzers(
  objects: readonly KubeObject[],
  { analyzers: named = [] }: AnalyzeOptions,
): Promise<readonly Analyzer[]> {
  if (named.length > 0 || !objects.some(({ kind }) => kind === "EnvoyFilter")) return [];
  const { envoyfilterPatch } = await import("../analyzers/envoyfilter-patch.ts");
  return [envoyfilterPatch];
}

const DEFAULT_TIMEOUT = 300_000;

/** Kinds that are fetched: those that analyzers read, and those with rules of their own. */
function isWanted(name: KindName, selected: typeof analyzers): boolean {
  return name in meshKinds || selected.some(({ reads }) => reads.includes(name));
}

async function saveBaseline(told: Told, options: AnalyzeOptions, io: Io): Promise<AnalyzeResult> {
  const file = options.baseline ?? BASELINE;
  await writeBaseline(file, told.findings, io);
  const count = told.findings.length;
  io.err(`✔ ${count === 1 ? "1 finding is" : `${count} findings are`} known from now on: ${file}.\n`);
  return { findings: [], skipped: told.skipped, exitCode: 0 };
}

/** What findings are compared with; undefined: nothing. */
async function readKnown(
  options: AnalyzeOptions,
  io: Io,
  check: (files: FileSet, warn: boolean) => Told,
): Promise<Known | undefined> {
  if (options.baseline !== undefined) return readBaseline(options.baseline, io);
  if (options.newSince === undefined) return undefined;
  const { readGitFiles } = await import("./analysis/git-files.ts");
  const texts = (await readGitFiles(options.newSince, options.sources, io)).filter(
    ({ file }) => options.project?.excluded(file) !== true,
  );
  return knownOf(check(completeFiles(texts, await meshConfigObject(options, io), options), false).findings);
}

interface Outcome {
  readonly told: Told;
  readonly compared: Compared | undefined;
  /** What counts. */
  readonly findings: readonly Finding[];
  readonly files: FileSet;
}

async function report({ told, compared, findings, files }: Outcome, options: AnalyzeOptions, io: Io): Promise<void> {
  const known = new Set(compared?.unchanged);
  const baseline = options.baseline;
  const summary: ReportSummary = {
    version: VERSION,
    objects: told.objects,
    skipped: told.skipped,
    notChecked: told.unknown,
    suppressed: [
      ...told.suppressed,
      ...(baseline === undefined
        ? []
        : [...known].map((finding) => ({ finding, by: "outside" as const, reason: `known from ${baseline}` }))),
    ],
    ...(compared === undefined
      ? {}
      : {
          fixed: compared.fixed,
          stateOf: (finding: Finding) => (known.has(finding) ? ("unchanged" as const) : ("new" as const)),
        }),
  };
  const context = { sourceLine: sourceLines(files.texts), summary };
  const shown = atLeast(findings, options.outputThreshold ?? "Info");
  const outputs = options.outputs ?? [{ format: "text" as const }];
  const seeing = { ...io, isTTY: options.color ?? io.isTTY, env: options.color === true ? {} : io.env };
  // code scanning is told of everything and compares by itself
  const scans = outputs.filter(({ format }) => format === "sarif" && options.newSince !== undefined);
  const others = outputs.filter((output) => !scans.includes(output));
  if (scans.length > 0)
    await writeReports(scans, told.findings, context, others.length > 0 ? { ...seeing, err: () => undefined } : seeing);
  if (others.length > 0) await writeReports(others, shown, context, seeing);
}

const RANK: Readonly<Record<Level, number>> = { Info: 0, Warning: 1, Error: 2 };

function atLeast(findings: readonly Finding[], threshold: Level): readonly Finding[] {
  return findings.filter(({ level }) => RANK[level] >= RANK[threshold]);
}

function sourceLines(texts: readonly SourceText[]): (place: { file: string; line: number }) => string | undefined {
  const lines = new Map<string, readonly string[]>();
  return ({ file, line }) => {
    const known = lines.get(file) ?? texts.find((source) => source.file === file)?.text.split(/\r?\n/) ?? [];
    lines.set(file, known);
    return known[line - 1];
  };
}

/** Entry of the command table. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  if (switchOption(input, "listAnalyzers")) return listAnalyzers(io);
  const project =
    input.options["config"] === false ? undefined : await readProjectFile(io.cwd, textOption(input, "config"));
  const options = readOptions(input, project);
  if (options.watch !== true) return analyze(options, io);
  const { watchAndAnalyze } = await import("./analysis/watch.ts");
  return watchAndAnalyze(options, io, analyze);
}

function listAnalyzers(io: Io): CommandResult {
  for (const { name, summary, profile, codes } of analyzers) {
    const about = profile === "default" ? "" : ` (profile ${profile})`;
    io.out(`* ${name}:${about}\n    ${summary} ${codes.join(", ")}\n`);
  }
  return { exitCode: 0 };
}
