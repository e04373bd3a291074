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

const args = process.argv.slice(2);

/** The program with its bytecode, which spares compiling it; undefined when another Node than this one built it. */
function compiled() {
  const folder = fileURLToPath(new URL("../dist/compiled/", import.meta.url));
  // a command that is waited for has a smaller one of its own
  const name = /^[a-z]+$/.test(args[0]) && existsSync(`${folder}${args[0]}.cjs.cache`) ? args[0] : "cli";
  if (!existsSync(`${folder}${name}.cjs.cache`)) return undefined;
  const program = scriptOf(`${folder}${name}.cjs`);
  if (program.cachedDataRejected) return undefined;
  // Optimizing code later than a server would: a third of the processor time of a short run went into that. Set behind the program:
  // bytecode is taken only under the flags it was made with, which for packages are these.
  setFlagsFromString("--interrupt-budget=500000");
  return exportsOf(program, `${folder}${name}.cjs`);
}

function scriptOf(path) {
  return new Script(readFileSync(path, "latin1"), { filename: path, cachedData: readFileSync(`${path}.cache`) });
}

/** Runs a script; what it requires by a path is a package that stands beside it. */
function exportsOf(script, path) {
  const module = { exports: {} };
  const ofNode = createRequire(path);
  const load = (id) => {
    if (id.startsWith("./")) return packageOf(ofNode.resolve(id));
    return LAZY.has(id) ? lazily(() => ofNode(id)) : ofNode(id);
  };
  script.runInThisContext()(module, module.exports, load, pathToFileURL(path).href);
  return module.exports;
}

/** Node's own modules that take milliseconds to load, and that most runs never call. The bundle reads what it needs when it calls. */
const LAZY = new Set(["node:crypto", "node:http", "node:https", "node:net"]);

function lazily(load) {
  let loaded;
  const real = () => (loaded ??= load());
  return new Proxy(
    {},
    {
      get: (_, name) => real()[name],
      has: (_, name) => name in real(),
      ownKeys: () => Reflect.ownKeys(real()),
      // none of the target's own: a proxy may only tell of such that can be changed
      getOwnPropertyDescriptor: (_, name) => {
        const found = Reflect.getOwnPropertyDescriptor(real(), name);
        return found && { ...found, configurable: true };
      },
    },
  );
}

const packages = new Map();

function packageOf(path) {
  if (!packages.has(path)) packages.set(path, exportsOf(scriptOf(path), path));
  return packages.get(path);
}

// help and version alone need a few small chunks only
const { start } = (args.length > 1 ? compiled() : undefined) ?? (await import(bundle.href));
await start(args);
