// The static checks, one line each: types, lint, format, layers, unused code, generated files in step.
import { join } from "node:path";
import { main, root, run, say } from "./lib/run.mjs";
import { checkNode, ensureDependencies } from "./setup.mjs";

const bin = (name) => `node_modules/.bin/${name}`;
const CHECKS = [
  { name: "generated files are in step", command: bin("tsx"), args: ["scripts/gen.ts", "--check"] },
  { name: "types", command: bin("tsc"), args: ["-p", "tsconfig.json"] },
  { name: "types of the page", command: bin("tsc"), args: ["-p", "src/page/tsconfig.json"] },
  { name: "lint", command: bin("oxlint"), args: ["--type-aware", "--deny-warnings"] },
  { name: "format", command: bin("biome"), args: ["format", "."] },
  { name: "layers", command: bin("depcruise"), args: ["src", "bin", "--config", ".dependency-cruiser.cjs"] },
  { name: "unused code", command: bin("knip"), args: [] },
];

/** Each check keeps one processor busy. */
const AT_ONCE = 2;

/** Generated files that are not in git and that checks read; the build makes them too. */
const generate = () =>
  Promise.all(["gen-envoy", "gen-page"].map((name) => run(bin("tsx"), [`scripts/${name}.ts`], { quiet: true })));

/** Runs every check, some at once, prints the output of those that fail, and counts. With `behind` they have the lowest priority. */
export async function check({ behind = false } = {}) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const waiting = [...CHECKS];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { name, command, args } = next;
      const { code, output } = await run(command, args, { quiet: true, allowFailure: true, behind });
      if (code !== 0) process.stderr.write(output);
      say(`${code === 0 ? "ok  " : "FAIL"} ${name}`);
      counts[code === 0 ? "passed" : "failed"] += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return counts;
}

if (process.argv[1] === join(root, "scripts/check.mjs")) {
  await main(async () => {
    checkNode();
    await ensureDependencies();
    await generate();
    return (await check()).failed === 0 ? 0 : 1;
  });
}
