import type { Finding, Level } from "../diagnostics/finding.ts";
import { createModel } from "../model/model.ts";
import type { World } from "../resources/world.ts";
import type { Analyzer, AnalyzerResult } from "./analyzer.ts";

/** What a run is about. */
export interface RunOptions {
  /** A cluster is part of the World. */
  readonly complete: boolean;
  /** Namespace of the control plane; default istio-system. */
  readonly rootNamespace?: string;
  /** The time of this run; default: now. */
  readonly now?: Date;
}

/** Runs analyzers over a World. Findings are sorted and each is there once. */
export function runAnalyzers(analyzers: readonly Analyzer[], world: World, options: RunOptions): AnalyzerResult {
  const { complete, rootNamespace, now = new Date() } = options;
  const model = createModel(world, rootNamespace === undefined ? {} : { rootNamespace });
  const release = model.derivations.keep();
  try {
    const results = analyzers.map((analyzer) => analyzer.run(world, { model, complete, now }));
    return {
      findings: sortFindings(results.flatMap(({ findings }) => findings)),
      unknown: results.flatMap(({ unknown }) => unknown),
    };
  } finally {
    release();
  }
}

const ORDER: Readonly<Record<Level, number>> = { Error: 0, Warning: 1, Info: 2 };

/** Errors first, then by code, object and place; equal ones once. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  const keyed = findings.map((found) => {
    const { kind = "", namespace = "", name = "" } = found.object ?? {};
    const { file = "", line = 0, column = 0 } = found.position ?? {};
    const place = `${file}:${String(line).padStart(9)}:${String(column).padStart(9)}`;
    const path = found.path.map((step) => (typeof step === "number" ? String(step).padStart(6, "0") : step)).join("/");
    const key = [ORDER[found.level], found.code, namespace, name, kind, place, path, JSON.stringify(found.args)].join(
      "\0",
    );
    return { key, found };
  });
  const unique = new Map(keyed.map((entry) => [entry.key, entry.found]));
  return [...unique].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, found]) => found);
}
