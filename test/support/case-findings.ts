import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { runAnalyzers, sortFindings } from "../../src/analyzers/run.ts";
import type { Analyzer } from "../../src/analyzers/analyzer.ts";
import type { Finding } from "../../src/diagnostics/finding.ts";
import { reporters } from "../../src/report/index.ts";
import { isClusterScoped, worldFromObjects } from "../../src/resources/files-world.ts";
import { completeManifests, readManifests, type SourcedObject } from "../../src/resources/manifests.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import type { World } from "../../src/resources/world.ts";

/** A case file, read: its objects, and a way to give findings their place in it. */
export interface CaseFile {
  readonly objects: readonly KubeObject[];
  /** The text report of findings about these objects. */
  readonly report: (findings: readonly Finding[]) => string;
}

/** Reads `<case>.in.yaml`; every document in it must be an object. Objects without namespace are of `default`. */
export function readCase(path: string): CaseFile {
  const file = basename(path);
  const read = readManifests([{ file, text: readFileSync(path, "utf8") }]);
  const { objects } = completeManifests(read.objects, "default", isClusterScoped);
  if (read.findings.length > 0) throw new Error(`${path}: ${JSON.stringify(read.findings)}`);
  const report = (findings: readonly Finding[]): string =>
    reporters.text(sortFindings(findings.map((found) => placed(found, objects))), {
      terminal: false,
      env: {},
      sourceLine: () => undefined,
    });
  return { objects: objects.map(({ object }) => object), report };
}

/** The time at which cases are analyzed; that of test/support/fake-io.ts. */
const CASE_TIME = new Date("2026-11-21T07:00:00Z");

/** Runs one analyzer over a case, as for a whole cluster. `watch` may wrap the World, to see what is read. */
export function analyzeCase(
  analyzer: Analyzer,
  objects: readonly KubeObject[],
  watch: (world: World) => World = (world) => world,
): readonly Finding[] {
  const world = worldFromObjects(objects);
  return runAnalyzers([analyzer], watch(world), { complete: true, now: CASE_TIME }).findings;
}

function placed(found: Finding, objects: readonly SourcedObject[]): Finding {
  const source = objects.find(
    ({ object: { kind, metadata } }) =>
      kind === found.object?.kind &&
      metadata.name === found.object.name &&
      (metadata.namespace ?? "") === found.object.namespace,
  );
  return source === undefined ? found : { ...found, position: source.position(found.path) };
}
