import { errorText } from "../base/errors.ts";
import { finding } from "../diagnostics/codes.ts";
import type { Finding } from "../diagnostics/finding.ts";
import { createModel } from "../model/model.ts";
import type { KindName } from "../resources/kinds.ts";
import type { World } from "../resources/world.ts";
import type { Analyzer, AnalyzerContext, AnalyzerResult, ClusterWorld } from "./analyzer.ts";
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
  readonly clusters?: readonly ClusterWorld<KindName>[];
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
  const {
    complete,
    rootNamespace,
    domain,
    now = new Date(),
    missing,
    clusters = [{ name: "", world }],
    expired,
  } = options;
  const model = createModel(world, {
    ...(rootNamespace === undefined ? {} : { rootNamespace }),
    ...(domain === undefined ? {} : { domain }),
  });
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
      const late = expired?.();
      const reasons = new Set(late === undefined ? analyzer.reads.flatMap((kind) => missing?.get(kind) ?? []) : [late]);
      if (reasons.size > 0) {
        skipped.push({ name: analyzer.name, reason: [...reasons].join(", ") });
        for (const code of analyzer.codes) unjudged.add(code);
        continue;
      }
      executed.push(analyzer.name);
      const result = attempt(analyzer, world, context);
      for (const found of result.findings) findings.push(found);
      for (const what of result.unknown) unknown.push(what);
      for (const code of analyzer.codes) (result.unknown.length === 0 ? judged : unjudged).add(code);
    }
    return {
      findings: sortFindings(findings),
      unknown,
      skipped,
      executed,
      judged: [...judged].filter((code) => !unjudged.has(code)),
    };
  } finally {
    release();
  }
}

function attempt(analyzer: Analyzer, world: World, context: AnalyzerContext): AnalyzerResult {
  try {
    return analyzer.run(world, context);
  } catch (error) {
    const args = { analyzer: analyzer.name, reason: errorText(error) };
    return { findings: [finding("IST0001", { object: undefined }, args)], unknown: [] };
  }
}
