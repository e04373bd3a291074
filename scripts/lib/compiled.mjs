// `node compiled.mjs MESH SCRIPT...`: runs each program on a mesh, loads each package, and writes the bytecode V8 made meanwhile to
// SCRIPT.cache. In a process of its own: V8 takes bytecode only under the flags it was made with.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";

const [mesh, ...scripts] = process.argv.slice(2);
const injected = `${mesh}.injected`;
let said = "";
const io = {
  out: () => undefined,
  err: (words) => void (said += words),
  env: {},
  cwd: tmpdir(),
  isTTY: false,
  columns: 80,
  now: () => new Date(),
  readStdin: async () => "",
  signal: new AbortController().signal,
};

/** Command lines whose code the bytecode holds, by program. A package is only loaded. */
const RUNS = {
  cli: [
    ["manifest", "generate"],
    ["version", "-o", "json", "--no-remote"],
  ],
  inject: [["inject", "-f", mesh, "-o", injected]],
  uninject: [["uninject", "-f", injected]],
  analyze: [
    ["analyze", "--offline", mesh],
    ["analyze", "--offline", "-o", "json", mesh],
  ],
  validate: [["validate", "-f", mesh]],
};

// the name that stacks show is kept in the bytecode
const scriptOf = (path) => new Script(readFileSync(path, "latin1"), { filename: `meshctl/${basename(path)}` });
const packages = new Map();

function packageOf(path) {
  if (!packages.has(path)) packages.set(path, exportsOf(scriptOf(path), path));
  return packages.get(path);
}

function exportsOf(script, path) {
  const module = { exports: {} };
  const ofNode = createRequire(path);
  const load = (id) => (id.startsWith("./") ? packageOf(ofNode.resolve(id)) : ofNode(id));
  script.runInThisContext()(module, module.exports, load, pathToFileURL(path).href);
  return module.exports;
}

/** Loads a script, runs its command lines, keeps the bytecode. */
async function warm(path) {
  const script = scriptOf(path);
  const { main } = exportsOf(script, path);
  for (const args of RUNS[basename(path, ".cjs")] ?? [])
    if ((await main(args, io)) === 2) throw new Error(`meshctl ${args.join(" ")} could not run:\n${said.slice(-2000)}`);
  writeFileSync(`${path}.cache`, script.createCachedData());
}

const isProgram = (path) => basename(path, ".cjs") in RUNS;
for (const path of scripts.filter(isProgram)) await warm(path);
rmSync(injected);
// as bin/meshctl.js has it when it loads a package
setFlagsFromString("--interrupt-budget=500000");
for (const path of scripts.filter((each) => !isProgram(each))) await warm(path);
