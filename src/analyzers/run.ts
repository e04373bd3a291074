import { compact } from "../base/compact.ts";
import { errorText } from "../base/errors.ts";
import { finding } from "../diagnostics/codes.ts";
import type { Finding } from "../diagnostics/finding.ts";
import { createModel, type ModelOptions } from "../model/model.ts";
import type { KindName } from "../resources/kinds.ts";
import type { World } from "../resources/world.ts";
import type { Analyzer, AnalyzerContext, AnalyzerResult } from "./analyzer.ts";
import { sortFindings } from "./sort.ts";

export { sortFindings } from "./sort.ts";

/** What a run is about. */
export interface RunOptions {
  /** A cluster is part of the World. */
  readonly complete: boolean;
  /** Namespace of the control plane; default istio-system. */
  readonly rootNamespace?: string;
  /** DNS suffix of the cluster; default cluster.local. */
  readonly domain?: string;
  /** The time of this run; default: now. */
  readonly now?: Date;
  /** Kinds that could not be read, and why, as part of a sentence: `may not list secrets`. */
  readonly missing?: ReadonlyMap<KindName, string>;
  /** All clusters of the run, this one among them; default: this World alone. */
  readonly clusters?: readonly { readonly name: string; readonly world: World }[];
  /** Asked before each analyzer: why no more run, as part of a sentence (`not run within 30s`). */
  readonly expired?: () => string | undefined;
}

/** An analyzer that did not run. */
export interface SkippedAnalyzer {
  readonly name: string;
  /** As part of a sentence: `may not list secrets`. */
  readonly reason: string;
}

/** What a run came to. */
export interface RunResult extends AnalyzerResult {
  readonly skipped: readonly SkippedAnalyzer[];
  /** Names of those that ran, failed ones too. */
  readonly executed: readonly string[];
  /** Codes of which everything was found that is there: each analyzer that raises them ran and could judge all. */
  readonly judged: readonly string[];
}

/**
 * Runs analyzers over a World. Findings are sorted and each is there once. One whose kinds could not be read is skipped; one
 * that throws is reported (IST0001), and the others run on.
 */
export function runAnalyzers(analyzers: readonly Analyzer[], world: World, options: RunOptions): RunResult {
  const { complete, rootNamespace, domain, now = new Date(), clusters = [{ name: "", world }] } = options;
  const model = createModel(world, { ...compact({ rootNamespace, domain }), ...among(world, clusters) });
  const context: AnalyzerContext = { model, complete, now, clusters };
  const findings: Finding[] = [];
  const unknown: string[] = [];
  const skipped: SkippedAnalyzer[] = [];
  const executed: string[] = [];
  const judged = new Set<string>();
  const unjudged = new Set<string>();
  const release = model.derivations.keep();
  try {
    for (const analyzer of analyzers) {
      const reason = reasonToSkip(analyzer, options);
      const result = reason === undefined ? attempt(analyzer, world, context) : NOTHING;
      if (reason === undefined) executed.push(analyzer.name);
      else skipped.push({ name: analyzer.name, reason });
      for (const found of result.findings) findings.push(found);
      for (const what of result.unknown) unknown.push(what);
      for (const code of analyzer.codes) (result.judged && result.unknown.length === 0 ? judged : unjudged).add(code);
    }
    const sure = [...judged].filter((code) => !unjudged.has(code));
    return { findings: sortFindings(findings), unknown, skipped, executed, judged: sure };
  } finally {
    release();
  }
}

/** Services of the mesh's other clusters are the mesh's too. */
function among(
  world: World,
  clusters: NonNullable<RunOptions["clusters"]>,
): Pick<ModelOptions, "clusterId" | "remotes"> {
  const others = clusters
    .filter((one) => one.world !== world)
    .map((one) => ({ clusterId: one.name, world: one.world }));
  if (others.length === 0) return {};
  return { clusterId: clusters.find((one) => one.world === world)?.name ?? "", remotes: () => others };
}

function reasonToSkip({ reads }: Analyzer, { missing, expired }: RunOptions): string | undefined {
  const late = expired?.();
  if (late !== undefined) return late;
  const reasons = new Set(reads.flatMap((kind) => missing?.get(kind) ?? []));
  return reasons.size === 0 ? undefined : [...reasons].join(", ");
}

interface Attempt extends AnalyzerResult {
  /** It came to its end. */
  readonly judged: boolean;
}

const NOTHING: Attempt = { findings: [], unknown: [], judged: false };

function attempt(analyzer: Analyzer, world: World, context: AnalyzerContext): Attempt {
  try {
    return { ...analyzer.run(world, context), judged: true };
  } catch (error) {
    const args = { analyzer: analyzer.name, reason: errorText(error) };
    return { findings: [finding("IST0001", { object: undefined }, args)], unknown: [], judged: false };
  }
}
