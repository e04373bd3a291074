import { execFile, spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseYaml } from "../../../../src/resources/yaml-plain.ts";

const run = promisify(execFile);
const setup = fileURLToPath(new URL("./setup-conformance.sh", import.meta.url));

/** The public conformance suite of Gateway API, built. */
export interface Suite {
  readonly program: string;
  /** Folder with the official CRDs of its version. */
  readonly crds: string;
  /** Archives of the images that it deploys, under the names that its manifests have. */
  readonly images: readonly string[];
}

/** Builds what is missing: minutes the first time, then nothing. */
export async function conformanceSuite(): Promise<Suite> {
  const { stdout } = await run(setup, [], { maxBuffer: 1 << 24 });
  const out = stdout.trim().split("\n").at(-1) ?? "";
  const images = await readdir(join(out, "images"));
  return {
    program: join(out, "bin/conformance.test"),
    crds: join(out, "crds"),
    images: images.map((file) => join(out, "images", file)),
  };
}

/** What came of one part of a profile. */
export interface PartResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failedTests: readonly string[];
}

export interface ProfileResult {
  readonly name: string;
  readonly core: PartResult;
  readonly extended: PartResult | undefined;
}

interface WrittenPart {
  readonly statistics: { readonly Passed: number; readonly Failed: number; readonly Skipped: number };
  readonly failedTests?: readonly string[];
}

interface WrittenReport {
  readonly profiles?: readonly {
    readonly name: string;
    readonly core?: WrittenPart;
    readonly extended?: WrittenPart;
  }[];
}

/** A run of the suite: `flags` are its own; output and report go into `folder` under `name`. */
export async function runSuite(
  suite: Suite,
  where: { readonly kubeconfig: string; readonly folder: string; readonly name: string },
  flags: readonly string[],
): Promise<{ readonly profiles: readonly ProfileResult[]; readonly output: string }> {
  const report = join(where.folder, `${where.name}.yaml`);
  const args = ["-test.v", "-test.timeout", "60m", "-report-output", report, ...flags];
  const output = await outputOf(suite.program, args, { ...process.env, KUBECONFIG: where.kubeconfig });
  const text = await readFile(report, "utf8").catch(() => {
    throw new Error(`the suite ended without a report:\n${output.slice(-4000)}`);
  });
  const { profiles = [] } = parseYaml(text) as WrittenReport;
  return {
    output,
    profiles: profiles.map(({ name, core, extended }) => ({
      name,
      core: partOf(core),
      extended: extended === undefined ? undefined : partOf(extended),
    })),
  };
}

function partOf(part: WrittenPart | undefined): PartResult {
  const { Passed: passed = 0, Failed: failed = 0, Skipped: skipped = 0 } = part?.statistics ?? {};
  return { passed, failed, skipped, failedTests: part?.failedTests ?? [] };
}

function outputOf(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    const parts: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => parts.push(text));
    child.on("error", reject);
    child.on("close", () => resolve(parts.join("")));
  });
}

/** What the suite said of a test, without the lines that only repeat a wait. */
export function wordsOf(output: string, test: string): string {
  const lines = output.split("\n");
  const from = lines.findIndex((line) => line.startsWith(`=== RUN   TestConformance/${test}`));
  const to = lines.findIndex((line, at) => at > from && /^=== RUN {3}TestConformance\/\w+$/.test(line));
  const own = from < 0 ? [] : lines.slice(from, to < 0 ? undefined : to);
  return own
    .filter((line, at) => stripped(line) !== stripped(own[at - 1] ?? ""))
    .slice(0, 60)
    .join("\n");
}

function stripped(line: string): string {
  return line.replaceAll(/\d+/g, "");
}
