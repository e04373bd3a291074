import { analyzers } from "../../analyzers/index.ts";
import { runAnalyzers, type SkippedAnalyzer, sortFindings } from "../../analyzers/run.ts";
import { documentationOf, hintOf, messageOf, recordOf } from "../../diagnostics/codes.ts";
import type { Finding } from "../../diagnostics/finding.ts";
import { worldFromObjects } from "../../resources/files-world.ts";
import { type KindName, kindOf } from "../../resources/kinds.ts";
import type { KubeObject } from "../../resources/object.ts";
import type { WorldChange } from "../../resources/world.ts";
import { validateObject } from "../../validation/index.ts";

/** What an analysis is about. */
export interface JobOptions {
  readonly rootNamespace: string;
  readonly domain: string;
  /** Kinds that the control plane does not hold, and why, as part of a sentence. */
  readonly missing: ReadonlyMap<KindName, string>;
}

/** A finding with its words: readers of the endpoint need no table of codes. */
export interface SpokenFinding extends Finding {
  readonly name: string;
  readonly message: string;
  readonly hint?: string;
  readonly documentationUrl: string;
}

/** What one analysis came to. */
export interface AnalysisReport {
  readonly findings: readonly SpokenFinding[];
  readonly skipped: readonly SkippedAnalyzer[];
  readonly executed: readonly string[];
  /** How many objects were looked at. */
  readonly objects: number;
  /** Milliseconds. */
  readonly tookMs: number;
  /** RFC 3339, when the analysis began. */
  readonly at: string;
}

/** The objects of a cluster as an analysis sees them, kept up to date by changes. Lives in a thread of its own. */
export interface AnalysisJob {
  apply(changes: readonly WorldChange[]): void;
  run(options: JobOptions): AnalysisReport;
}

export function createAnalysisJob(): AnalysisJob {
  const objects = new Map<string, KubeObject>();
  return {
    apply(changes) {
      for (const { type, object } of changes) {
        const key = `${kindOf(object) ?? ""}/${object.metadata.namespace ?? ""}/${object.metadata.name}`;
        if (type === "set") objects.set(key, object);
        else objects.delete(key);
      }
    },
    run(options) {
      const at = new Date();
      const start = performance.now();
      const all = [...objects.values()];
      const result = runAnalyzers(analyzers.filter(isDefault), worldFromObjects([], all), {
        complete: true,
        now: at,
        ...options,
      });
      const findings = sortFindings([...all.flatMap(validateObject), ...result.findings]).map(spoken);
      const { skipped, executed } = result;
      return {
        findings,
        skipped,
        executed,
        objects: all.length,
        tookMs: performance.now() - start,
        at: at.toISOString(),
      };
    },
  };
}

function isDefault({ profile }: { readonly profile: string }): boolean {
  return profile === "default";
}

function spoken(found: Finding): SpokenFinding {
  const hint = hintOf(found);
  return {
    ...found,
    name: recordOf(found.code)?.name ?? found.code,
    message: messageOf(found),
    ...(hint === undefined ? {} : { hint }),
    documentationUrl: documentationOf(found.code),
  };
}
