import { analyzers } from "../../analyzers/index.ts";
import { runAnalyzers, type SkippedAnalyzer, sortFindings } from "../../analyzers/run.ts";
import { documentationOf, hintOf, messageOf, recordOf } from "../../diagnostics/codes.ts";
import type { Finding, Level } from "../../diagnostics/finding.ts";
import { worldFromObjects } from "../../resources/files-world.ts";
import { type KindName, kindOf } from "../../resources/kinds.ts";
import type { KubeObject } from "../../resources/object.ts";
import type { World, WorldChange } from "../../resources/world.ts";
import { validateObject } from "../../validation/index.ts";
import { type StatusChange, statusChanges, type SpokenFinding } from "./status.ts";

/** What an analysis is about. */
export interface JobOptions {
  readonly rootNamespace: string;
  readonly domain: string;
  /** Kinds that the control plane does not hold, and why, as part of a sentence. */
  readonly missing: ReadonlyMap<KindName, string>;
  /** Services of the mesh's other clusters, which are to be the same; absent: there are no other clusters. */
  readonly elsewhere?: Elsewhere;
}

/** What of the mesh's other clusters an analysis compares with our own. */
export interface Elsewhere {
  readonly own: string;
  readonly others: readonly { readonly name: string; readonly services: readonly KubeObject[] }[];
}

/** What an analysis says to those who ask; as JSON at the endpoint. */
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

/** What the control plane's own thread hears of an analysis: small, whatever was found. */
export interface AnalysisSummary {
  readonly tookMs: number;
  readonly levels: Readonly<Record<Level, number>>;
}

/** The objects of a cluster as an analysis sees them, kept up to date by changes. Lives in a thread of its own. */
export interface AnalysisJob {
  apply(changes: readonly WorldChange[]): void;
  run(options: JobOptions): AnalysisSummary;
  /** The last analysis; of one namespace's objects alone unless that is "". */
  report(namespace: string): AnalysisReport;
  /** What is to be written into objects after the last analysis. */
  statuses(): readonly StatusChange[];
}

export function createAnalysisJob(): AnalysisJob {
  const objects = new Map<string, KubeObject>();
  let last: AnalysisReport = { findings: [], skipped: [], executed: [], objects: 0, tookMs: 0, at: "" };
  return {
    apply(changes) {
      for (const { type, object } of changes) {
        const key = `${kindOf(object) ?? ""}/${object.metadata.namespace ?? ""}/${object.metadata.name}`;
        if (type === "set") objects.set(key, object);
        else objects.delete(key);
      }
    },
    run(options) {
      last = analyse([...objects.values()], options);
      const levels = { Error: 0, Warning: 0, Info: 0 };
      for (const { level } of last.findings) levels[level] += 1;
      return { tookMs: last.tookMs, levels };
    },
    report(namespace) {
      if (namespace === "") return last;
      return { ...last, findings: last.findings.filter(({ object }) => object?.namespace === namespace) };
    },
    statuses: () => statusChanges([...objects.values()], last.findings, new Date(last.at)),
  };
}

function analyse(all: readonly KubeObject[], options: JobOptions): AnalysisReport {
  const at = new Date();
  const start = performance.now();
  const world = worldFromObjects([], all);
  const clusters = [{ name: options.elsewhere?.own ?? "", world }, ...othersOf(options)];
  const result = runAnalyzers(analyzers.filter(isDefault), world, { complete: true, now: at, ...options, clusters });
  const findings = sortFindings([...all.flatMap(validateObject), ...result.findings]).map(spoken);
  const { skipped, executed } = result;
  const tookMs = performance.now() - start;
  return { findings, skipped, executed, objects: all.length, tookMs, at: at.toISOString() };
}

function othersOf({ elsewhere }: JobOptions): readonly { readonly name: string; readonly world: World }[] {
  return (elsewhere?.others ?? []).map(({ name, services }) => ({ name, world: worldFromObjects([], services) }));
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
