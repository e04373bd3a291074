import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { EnvironmentError, errorText } from "../../base/errors.ts";
import { messageOf } from "../../diagnostics/codes.ts";
import type { Finding } from "../../diagnostics/finding.ts";
import { fingerprintsOf } from "../../diagnostics/fingerprint.ts";
import type { Io } from "../io.ts";

/** What is known of findings by their fingerprints, which do not change when lines move. */
export interface Known {
  readonly fingerprints: ReadonlySet<string>;
}

/** Findings in relation to what was known. */
export interface Compared {
  readonly introduced: readonly Finding[];
  readonly unchanged: readonly Finding[];
  /** Known ones that are gone. */
  readonly fixed: number;
}

interface BaselineFile {
  readonly version: 1;
  readonly findings: readonly {
    readonly fingerprint: string;
    readonly code: string;
    readonly object: string;
    readonly message: string;
  }[];
}

/** Reads a baseline. Throws EnvironmentError for a file that is none. */
export async function readBaseline(file: string, io: Pick<Io, "cwd">): Promise<Known> {
  const hint = "Write it with meshctl analyze --write-baseline, or name another with --baseline.";
  const text = await readFile(resolve(io.cwd, file), "utf8").catch((error: unknown) => {
    throw new EnvironmentError("unreadable-file", `baseline ${file} cannot be read: ${errorText(error)}`, { hint });
  });
  try {
    const { version, findings } = JSON.parse(text) as Partial<BaselineFile>;
    if (version !== 1 || findings === undefined) throw new Error("it has another form");
    return { fingerprints: new Set(findings.map(({ fingerprint }) => fingerprint)) };
  } catch (error) {
    throw new EnvironmentError("unreadable-file", `${file} is no baseline: ${errorText(error)}`, { hint });
  }
}

/** Writes findings as a baseline: sorted, one a line, so that a review sees which one came or went. */
export async function writeBaseline(file: string, findings: readonly Finding[], io: Pick<Io, "cwd">): Promise<void> {
  const prints = fingerprintsOf(findings);
  const entries = findings
    .map((found, index) => ({
      fingerprint: prints[index] ?? "",
      code: found.code,
      object:
        found.object === undefined ? "" : [found.object.kind, found.object.namespace, found.object.name].join("/"),
      message: messageOf(found),
    }))
    .toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  const lines = entries.map((entry) => `    ${JSON.stringify(entry)}`).join(",\n");
  await writeFile(
    resolve(io.cwd, file),
    `{\n  "version": 1,\n  "findings": [${lines === "" ? "" : `\n${lines}\n  `}]\n}\n`,
  );
}

function sortKey(entry: BaselineFile["findings"][number]): string {
  return [entry.object, entry.code, entry.message, entry.fingerprint].join("\0");
}

/** What findings are as to a set of known ones. */
export function compare(findings: readonly Finding[], known: Known): Compared {
  const prints = fingerprintsOf(findings);
  const isKnown = (index: number): boolean => known.fingerprints.has(prints[index] ?? "");
  return {
    introduced: findings.filter((_, index) => !isKnown(index)),
    unchanged: findings.filter((_, index) => isKnown(index)),
    fixed: [...known.fingerprints].filter((print) => !prints.includes(print)).length,
  };
}

/** Findings as something to compare with. */
export function knownOf(findings: readonly Finding[]): Known {
  return { fingerprints: new Set(fingerprintsOf(findings)) };
}
