#!/usr/bin/env node
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";

const bundle = new URL("../dist/cli.js", import.meta.url);
if (!existsSync(bundle)) {
  process.stderr.write("meshctl is not built\nRun npm run build in the repository first.\n");
  process.exit(2);
}

/** The program in one piece with its bytecode, which spares compiling it; undefined when another Node than this one built it. */
function compiled() {
  const path = fileURLToPath(new URL("../dist/compiled/cli.cjs", import.meta.url));
  if (!existsSync(`${path}.cache`)) return undefined;
  const cachedData = readFileSync(`${path}.cache`);
  const script = new Script(readFileSync(path, "latin1"), { filename: path, cachedData });
  if (script.cachedDataRejected) return undefined;
  // Optimizing code later than a server would: a third of the processor time of a short run went into that. Set behind the script:
  // bytecode is taken only under the flags it was made with.
  setFlagsFromString("--interrupt-budget=500000");
  const module = { exports: {} };
  script.runInThisContext()(module, module.exports, createRequire(path), pathToFileURL(path).href);
  return module.exports;
}

const args = process.argv.slice(2);
// help and version alone need a few small chunks only
const { start } = (args.length > 1 ? compiled() : undefined) ?? (await import(bundle.href));
await start(args);
