// Builds dist/: three programs (cli, meshd, agent), ESM with code splitting so that a command loads only what it needs.
// Skips what is unchanged by content, so that running it before every test costs nothing. `--force` builds anyway.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildPrograms } from "./lib/programs.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const force = process.argv.includes("--force");

/** Every file below the paths, sorted, as names relative to the root. */
function files(paths) {
  return paths.flatMap((path) => {
    const full = join(root, path);
    if (!existsSync(full)) return [];
    const entries = readdirSync(dirname(full), { withFileTypes: true });
    if (entries.some((entry) => entry.name === full.split("/").at(-1) && entry.isFile())) return [path];
    return readdirSync(full, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
      .sort();
  });
}

function contentHash(paths) {
  const hash = createHash("sha256");
  for (const file of files(paths))
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update("\0");
  return hash.digest("hex");
}

/** Runs `make` unless the inputs' hash is the one of the last successful run and the output is still there. */
async function step(name, { inputs, output, stamp }, make) {
  const hash = contentHash(inputs);
  const stampFile = join(root, stamp);
  const fresh = existsSync(join(root, output)) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === hash;
  if (fresh && !force) return;
  const start = performance.now();
  await make();
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, hash);
  process.stdout.write(`${name}: ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
}

function runTsx(script) {
  const { status } = spawnSync(process.execPath, [join(root, "node_modules/tsx/dist/cli.mjs"), join(root, script)], {
    cwd: root,
    stdio: "inherit",
  });
  if (status !== 0) throw new Error(`${script} failed`);
}

async function bundle() {
  const { build } = await import("esbuild");
  // a program each, and the threads they start
  const threads = readdirSync(join(root, "src")).filter((name) => name.endsWith("-worker.ts"));
  const entries = ["cli.ts", "meshd.ts", "agent.ts", "ratelimit.ts", ...threads];
  const common = {
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    target: "node20.19",
    // identifiers stay: stacks name them, and keepNames would pay for that at every closure that is made
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    write: false,
    // optional native speed-ups of ws, used only when installed
    external: ["bufferutil", "utf-8-validate"],
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "warning",
  };
  const result = await build({
    ...common,
    entryPoints: entries.map((name) => `src/${name}`),
    outdir: "dist",
    chunkNames: "chunks/[name]-[hash]",
    splitting: true,
    format: "esm",
    metafile: true,
    // CommonJS dependencies call require
    banner: { js: 'import{createRequire as __cr}from"node:module";const require=__cr(import.meta.url);' },
  });
  const programs = await buildPrograms({ root, common });
  // Written only once everything compiled, so that a failed build leaves the last good one.
  rmSync(join(root, "dist"), { recursive: true, force: true });
  for (const file of result.outputFiles) {
    mkdirSync(dirname(file.path), { recursive: true });
    writeFileSync(file.path, file.contents);
  }
  cpSync(programs, join(root, "dist/compiled"), { recursive: true });
  rmSync(programs, { recursive: true });
  writeFileSync(join(root, "dist/meta.json"), JSON.stringify(result.metafile));
}

try {
  if (existsSync(join(root, "scripts/gen-envoy.ts"))) {
    await step(
      "envoy types",
      {
        inputs: ["proto", "scripts/gen-envoy.ts", "scripts/gen-envoy", "package-lock.json"],
        output: "src/gen/envoy",
        stamp: "node_modules/.cache/gen-envoy.hash",
      },
      () => runTsx("scripts/gen-envoy.ts"),
    );
  }
  await step(
    "page",
    {
      inputs: ["src/page", "scripts/gen-page.ts", "package-lock.json"],
      output: "src/gen/page/assets.ts",
      stamp: "src/gen/page/.hash",
    },
    () => runTsx("scripts/gen-page.ts"),
  );
  await step(
    "bundles",
    {
      inputs: [
        "src",
        "schemas",
        "package.json",
        "package-lock.json",
        "tsconfig.json",
        "scripts/build.mjs",
        "scripts/lib",
      ],
      output: "dist/meta.json",
      stamp: "dist/.hash",
    },
    bundle,
  );
} catch (error) {
  process.stderr.write(`build failed: ${error.message}\n`);
  process.exitCode = 1;
}
