import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { bigMesh } from "../../scripts/bench/big-mesh.ts";
import { type SharedRequest, validateFromBack } from "../../src/commands/analysis/shared-validation.ts";
import { findingsOf, runCli } from "../support/corpus.ts";

const bin = fileURLToPath(new URL("../../bin/meshctl.js", import.meta.url));
const { yaml } = bigMesh({ objects: 1_700 });

test("the built program validates a megabyte in two threads and finds what one thread finds", async () => {
  const folder = mkdtempSync(join(tmpdir(), "meshctl-threads-"));
  try {
    const file = join(folder, "mesh.yaml");
    writeFileSync(file, yaml);
    const args = ["analyze", "--offline", "-o", "json", file];
    const stdout = await new Promise<string>((resolve) =>
      execFile(process.execPath, [bin, ...args], { maxBuffer: 1e8 }, (_, text) => resolve(text)),
    );
    const alone = await runCli(args);
    expect(findingsOf(stdout).length).toBeGreaterThan(30);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(alone.stdout));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the thread itself, from its bytecode", async () => {
  const request = (): SharedRequest => ({
    texts: [{ file: "mesh.yaml", text: yaml }],
    namespace: "default",
    taken: new Int32Array(new SharedArrayBuffer(4)),
  });
  const worker = new Worker(bin, { argv: ["validation-worker", "thread"], workerData: request() });
  const answer = await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  expect(answer).toEqual(validateFromBack(request()));
  expect((answer as ReadonlyMap<string, unknown>).size).toBeGreaterThan(2);
});
