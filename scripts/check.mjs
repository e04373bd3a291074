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

/** Runs every check, prints the output of those that fail, and counts. */
export async function check() {
  await run(bin("tsx"), ["scripts/gen-envoy.ts"], { quiet: true });
  await run(bin("tsx"), ["scripts/gen-page.ts"], { quiet: true });
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, command, args } of CHECKS) {
    const { code, output } = await run(command, args, { quiet: true, allowFailure: true });
    if (code !== 0) process.stderr.write(output);
    say(`${code === 0 ? "ok  " : "FAIL"} ${name}`);
    counts[code === 0 ? "passed" : "failed"] += 1;
  }
  return counts;
}

if (process.argv[1] === join(root, "scripts/check.mjs")) {
  await main(async () => {
    checkNode();
    await ensureDependencies();
    return (await check()).failed === 0 ? 0 : 1;
  });
}
