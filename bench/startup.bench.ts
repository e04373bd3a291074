// Start-up of the command line against bare Node: whole processes, taken in turn so that both see the same machine.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const cli = fileURLToPath(new URL("../bin/meshctl.js", import.meta.url));
const ROUNDS = 21;

const commands: readonly (readonly [string, readonly string[]])[] = [
  ["bare node", ["-e", "0"]],
  ["meshctl --help", [cli, "--help"]],
  ["meshctl version", [cli, "version"]],
  ["meshctl version --no-remote", [cli, "version", "--no-remote"]],
];

const times = new Map<string, number[]>(commands.map(([name]) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, args] of commands) {
    const start = performance.now();
    const { status } = spawnSync(process.execPath, args, { stdio: "ignore", env: { PATH: process.env["PATH"] } });
    if (status !== 0) throw new Error(`${name} ended with exit code ${String(status)}`);
    times.get(name)?.push(performance.now() - start);
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
const bare = median(times.get("bare node") ?? []);
console.log("command                      median ms   over bare Node");
for (const [name, values] of times) {
  const value = median(values);
  console.log(`${name.padEnd(28)} ${value.toFixed(1).padStart(9)}   ${(value - bare).toFixed(1).padStart(9)}`);
}
