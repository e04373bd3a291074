// `node compiled.mjs PROGRAM MESH`: runs the program on a mesh and writes the bytecode V8 made meanwhile to PROGRAM.cache. In a process
// of its own: V8 takes bytecode only under the flags it was made with.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { pathToFileURL } from "node:url";
import { Script } from "node:vm";

const [program, mesh] = process.argv.slice(2);
const script = new Script(readFileSync(program, "latin1"), { filename: program });
const module = { exports: {} };
script.runInThisContext()(module, module.exports, createRequire(program), pathToFileURL(program).href);
const io = {
  out: () => undefined,
  err: () => undefined,
  env: {},
  cwd: tmpdir(),
  isTTY: false,
  columns: 80,
  now: () => new Date(),
  readStdin: async () => "",
  signal: new AbortController().signal,
};
for (const args of [
  ["validate", "-f", mesh],
  ["analyze", "--offline", mesh],
  ["analyze", "--offline", "-o", "json", mesh],
  ["inject", "-f", mesh, "--report", "none"],
])
  if ((await module.exports.main(args, io)) === 2) throw new Error(`meshctl ${args.join(" ")} could not run`);
writeFileSync(`${program}.cache`, script.createCachedData());
