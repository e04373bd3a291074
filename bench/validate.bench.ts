// `meshctl validate` of 1,000, 10,000 and 50,000 objects, in one file and in 100: wall and peak memory of whole processes. With
// ISTIOCTL set to a program, `istioctl validate` of the same files runs in turn with it, and the ratio is told.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bigMesh } from "../scripts/bench/big-mesh.ts";
import { documentsOf } from "../src/resources/yaml-documents.ts";

const cli = fileURLToPath(new URL("../bin/meshctl.js", import.meta.url));
const peer = process.env["ISTIOCTL"];
const ROUNDS = 5;
const scratch = mkdtempSync(join(tmpdir(), "meshctl-bench-"));

interface Run {
  readonly ms: number;
  /** Peak memory in MB; undefined where /proc does not tell. */
  readonly mb: number | undefined;
}

/** Runs a program to its end. Its peak memory is a high-water mark of the kernel, read while it lives. */
async function measure(program: string, args: readonly string[]): Promise<Run> {
  const start = performance.now();
  const child = spawn(program, args, { stdio: "ignore", env: { PATH: process.env["PATH"], HOME: scratch } });
  let mb: number | undefined;
  const watch = setInterval(() => {
    mb = peakOf(child.pid) ?? mb;
  }, 10);
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("exit", resolve));
  const ms = performance.now() - start;
  clearInterval(watch);
  if (code !== 0 && code !== 1) throw new Error(`${program} ${args.join(" ")} ended with exit code ${String(code)}`);
  return { ms, mb };
}

function peakOf(pid: number | undefined): number | undefined {
  try {
    const kb = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kb === undefined ? undefined : Number(kb) / 1024;
  } catch {
    return undefined;
  }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

interface Input {
  readonly name: string;
  readonly path: string;
  readonly mb: number;
}

/** Writes a mesh into one file or many; the mistakes of other benches are left out: both programs have nothing to say. */
function input(objects: number, files: number): Input {
  const { yaml } = bigMesh({ objects, mistakes: 0 });
  const path = join(scratch, `${objects}-${files}`);
  mkdirSync(path);
  const documents = documentsOf(yaml).map(({ text }) => text);
  const each = Math.ceil(documents.length / files);
  for (let file = 0; file * each < documents.length; file++)
    writeFileSync(join(path, `${file}.yaml`), documents.slice(file * each, (file + 1) * each).join("---\n"));
  return { name: `${objects} objects, ${files} file${files === 1 ? "" : "s"}`, path, mb: yaml.length / 1e6 };
}

async function compare({ name, path, mb }: Input): Promise<string> {
  const own: Run[] = [];
  const others: Run[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    own.push(await measure(process.execPath, [cli, "validate", "-f", path]));
    if (peer !== undefined) others.push(await measure(peer, ["validate", "-f", path]));
  }
  const cells = (runs: readonly Run[]): string => {
    const memory = Math.max(...runs.map((run) => run.mb ?? 0));
    return `${median(runs.map(({ ms }) => ms))
      .toFixed(0)
      .padStart(8)} ms ${memory.toFixed(0).padStart(6)} MB`;
  };
  const ratios = own.map(({ ms }, index) => ms / (others[index]?.ms ?? Number.NaN));
  const against = peer === undefined ? "" : `  ${cells(others)}   ${median(ratios).toFixed(2)}`;
  return `${name.padEnd(28)} ${mb.toFixed(1).padStart(5)} MB  ${cells(own)}${against}`;
}

try {
  const bare = await measure(process.execPath, ["-e", "0"]);
  console.log(`bare Node: ${bare.ms.toFixed(0)} ms`);
  console.log(`${"".padEnd(38)}  meshctl${peer === undefined ? "" : "              istioctl            ratio"}`);
  for (const [objects, files] of [
    [1000, 1],
    [10_000, 1],
    [10_000, 100],
    [50_000, 1],
  ] as const)
    console.log(await compare(input(objects, files)));
} finally {
  rmSync(scratch, { recursive: true });
}
