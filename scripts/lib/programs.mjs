// The command line once more as scripts, for bin/meshctl.js: V8 keeps bytecode of scripts, not of modules. cli.cjs is all of it; a
// command that people and scripts wait for has a program of its own, named by its first word and holding nothing else: what is not
// there is not read. Packages that few runs need are scripts beside them, read when they are asked for.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** First word of a command line -> the files in src/commands/ that its commands are loaded from. */
const OWN_PROGRAM = {
  inject: ["inject", "inject-explain", "inject-list"],
  uninject: ["uninject"],
  analyze: ["analyze"],
  validate: ["validate"],
};

/** Package -> the script it becomes. */
const APART = { "@kubernetes/client-node": "client-node", "@marcbachmann/cel-js": "cel-js" };

/** Builds what stands in dist/compiled/. `common`: options of esbuild. */
export async function buildPrograms({ root, common }) {
  const { build } = await import("esbuild");
  const script = (name, more) =>
    build({
      ...common,
      outfile: `dist/compiled/${name}.cjs`,
      format: "cjs",
      banner: { js: "(function(module,exports,require,__url){" },
      footer: { js: "})" },
      define: { ...common.define, "import.meta.url": "__url" },
      ...more,
    }).then(({ outputFiles }) => outputFiles[0]);
  const used = new Map(Object.keys(APART).map((name) => [name, new Set()]));
  const program = (name, commands) =>
    script(name, {
      entryPoints: ["src/cli.ts"],
      plugins: [packagesApart(used), ...(commands === undefined ? [] : [onlyCommands(commands)])],
    });
  const programs = await Promise.all([program("cli"), ...Object.entries(OWN_PROGRAM).map((own) => program(...own))]);
  const packages = [...used].map(([name, exports]) => {
    const contents = `export { ${[...exports].join(", ")} } from "${name}";`;
    return script(APART[name], { stdin: { contents, resolveDir: root } });
  });
  return [...(await Promise.all(packages)), ...programs];
}

/** Writes the scripts, and the bytecode of what each does. */
export function writePrograms(scripts, root) {
  const folder = join(root, "dist/compiled");
  mkdirSync(folder, { recursive: true });
  // V8 holds ASCII in half the memory; only expressions have other signs, strings are escaped already
  const escape = (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
  for (const { path, text } of scripts) writeFileSync(path, text.replace(/[^\0-\x7f]/g, escape));
  const run = (args, options) => {
    const { status, stdout } = spawnSync(process.execPath, args, options);
    if (status !== 0) throw new Error(`${args[0]} failed`);
    return stdout;
  };
  const mesh = join(folder, "mesh.yaml");
  const big = [join(root, "node_modules/tsx/dist/cli.mjs"), join(root, "scripts/big-mesh.ts"), "1000"];
  writeFileSync(mesh, run(big, { maxBuffer: 1e8 }));
  run([join(root, "scripts/lib/compiled.mjs"), mesh, ...scripts.map(({ path }) => path)], { stdio: "inherit" });
  rmSync(mesh);
}

/** Notes what is imported of each package: the rest is left out of its script. */
function packagesApart(used) {
  return {
    name: "packages-apart",
    setup(build) {
      build.onResolve({ filter: /^@/ }, ({ path, importer }) => {
        if (APART[path] === undefined) return undefined;
        const [, names] = new RegExp(`import \\{([^}]*)\\} from "${path}"`).exec(readFileSync(importer, "utf8")) ?? [];
        if (names === undefined) throw new Error(`${importer}: import what it needs of ${path} by its names`);
        for (const name of names.split(",").map((each) => each.trim()))
          if (name !== "" && !name.startsWith("type ")) used.get(path).add(name);
        return { path: `./${APART[path]}.cjs`, external: true };
      });
    },
  };
}

/** Leaves the other commands of the table out. */
function onlyCommands(names) {
  return {
    name: "only-commands",
    setup(build) {
      build.onResolve({ filter: /\/commands\/[^/]+\.ts$/ }, ({ path, kind, importer }) => {
        if (kind !== "dynamic-import" || !/\/src\/cli(?:-table\/[^/]+)?\.ts$/.test(importer)) return undefined;
        return names.includes(path.split("/").at(-1).slice(0, -3)) ? undefined : { path, external: true };
      });
    },
  };
}
