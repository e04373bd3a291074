// `meshctl manifest generate --profile demo`: wall time of whole processes. With ISTIOCTL set to a program, the same of istioctl runs
// in turn with it, and the ratio is told.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const cli = fileURLToPath(new URL("../bin/meshctl.js", import.meta.url));
const peer = process.env["ISTIOCTL"];
const ROUNDS = 9;
const PROFILE = "demo";

/** Runs a program to its end: milliseconds. */
async function measure(program: string, args: readonly string[]): Promise<number> {
  const start = performance.now();
  const child = spawn(program, args, { stdio: "ignore" });
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("exit", resolve));
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with exit code ${String(code)}`);
  return performance.now() - start;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const own: number[] = [];
const other: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  own.push(await measure(process.execPath, [cli, "manifest", "generate", "--set", `profile=${PROFILE}`]));
  if (peer !== undefined) other.push(await measure(peer, ["manifest", "generate", "--set", `profile=${PROFILE}`]));
}
console.log(`${"".padEnd(24)} ${"median".padStart(9)} ${"best".padStart(9)}`);
const line = (name: string, times: readonly number[]): string =>
  `${name.padEnd(24)} ${median(times).toFixed(0).padStart(6)} ms ${Math.min(...times)
    .toFixed(0)
    .padStart(6)} ms`;
console.log(line("meshctl", own));
if (peer !== undefined) {
  console.log(line("istioctl", other));
  console.log(
    `ratio of each round, median: ${median(own.map((ms, index) => ms / (other[index] ?? Number.NaN))).toFixed(2)}`,
  );
}
