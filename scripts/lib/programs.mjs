// The command line once more as scripts, for bin/meshctl.js: V8 keeps bytecode of scripts, not of modules. cli.cjs is all of it; a
// command that people and scripts wait for has a program of its own, named by its first word and holding nothing else: what is not
// there is not read. Packages that few runs need are scripts beside them, read when they are asked for.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

/** First word of a command line -> the files in src/commands/ that its commands are loaded from. */
const OWN_PROGRAM = {
  inject: ["inject", "inject-explain", "inject-list"],
  uninject: ["uninject"],
  analyze: ["analyze"],
  validate: ["validate"],
};

/** What programs load by import() in few runs: src/FOLDER/NAME.ts, which becomes a script. */
const LATER = { "envoyfilter-patch": "analyzers" };

/** Package -> the script it becomes. */
const APART = { "@kubernetes/client-node": "client-node", "@marcbachmann/cel-js": "cel-js", yaml: "yaml" };

/** Builds what stands in dist/compiled/, in a folder that it names. `common`: options of esbuild. */
export async function buildPrograms({ root, common }) {
  const { build } = await import("esbuild");
  const script = (name, more) =>
    build({
      ...common,
      outfile: `dist/compiled/${name}.cjs`,
      format: "cjs",
      // a script has no import() of its own: packages of Node that are loaded later are required
      supported: { "dynamic-import": false },
      banner: { js: "(function(module,exports,require,__url){" },
      footer: { js: "})" },
      define: { ...common.define, "import.meta.url": "__url" },
      ...more,
    }).then(({ outputFiles }) => outputFiles[0]);
  const used = new Map(Object.keys(APART).map((name) => [name, new Set()]));
  const program = (name, commands) =>
    script(name, {
      entryPoints: ["src/cli.ts"],
      plugins: [
        packagesApart(used),
        partsApart,
        processesApart,
        ...(commands === undefined ? [] : [onlyCommands(commands)]),
      ],
    });
  const programs = await Promise.all([program("cli"), ...Object.entries(OWN_PROGRAM).map((own) => program(...own))]);
  const later = Object.entries(LATER).map(([name, folder]) =>
    script(name, { entryPoints: [`src/${folder}/${name}.ts`], plugins: [packagesApart(used)] }),
  );
  const made = await Promise.all(later);
  const packages = [...used].map(([name, exports]) => {
    const contents = `export { ${[...exports].join(", ")} } from "${name}";`;
    return script(APART[name], { stdin: { contents, resolveDir: root } });
  });
  return warmed([...(await Promise.all(packages)), ...programs, ...made], root);
}

/** Scripts in a folder, with the bytecode of what each does. */
function warmed(scripts, root) {
  const folder = mkdtempSync(join(tmpdir(), "meshctl-programs-"));
  const paths = scripts.map(({ path }) => join(folder, basename(path)));
  // V8 holds ASCII in half the memory; only expressions have other signs, strings are escaped already
  const escape = (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
  for (const [index, { text }] of scripts.entries()) writeFileSync(paths[index], text.replace(/[^\0-\x7f]/g, escape));
  const run = (args, options) => {
    const { status, stdout } = spawnSync(process.execPath, args, options);
    if (status !== 0) throw new Error(`${args[0]} failed`);
    return stdout;
  };
  const mesh = join(folder, "mesh.yaml");
  const big = [join(root, "node_modules/tsx/dist/cli.mjs"), join(root, "scripts/big-mesh.ts"), "1000"];
  writeFileSync(mesh, run(big, { maxBuffer: 1e8 }));
  run([join(root, "scripts/lib/compiled.mjs"), mesh, ...paths], { stdio: "inherit" });
  rmSync(mesh);
  return folder;
}

/** A package is read when the first of its exports is asked for; what nobody asks for is left out of its script. */
function packagesApart(used) {
  return {
    name: "packages-apart",
    setup(build) {
      build.onResolve({ filter: /^[@a-z]/ }, ({ path, importer }) => {
        if (APART[path] === undefined || importer.includes("node_modules")) return undefined;
        const names = [...imported(path, readFileSync(importer, "utf8"))];
        if (names.length === 0) throw new Error(`${importer}: import what it needs of ${path} by its names`);
        for (const name of names) used.get(path).add(name);
        return {
          path: `${path} for ${importer}`,
          namespace: "lazy",
          pluginData: { from: `./${APART[path]}.cjs`, names },
        };
      });
      build.onLoad({ filter: /./, namespace: "lazy" }, ({ pluginData: { from, names } }) => ({
        contents: `module.exports={${names.map((name) => `get ${name}(){return require("${from}").${name}}`).join()}};`,
      }));
      build.onResolve({ filter: /^\.\/[a-z-]+\.cjs$/, namespace: "lazy" }, ({ path }) => ({ path, external: true }));
    },
  };
}

/** Parts of the program that few runs need are scripts of their own. */
const partsApart = {
  name: "parts-apart",
  setup(build) {
    build.onResolve({ filter: /^\.\.?\// }, ({ path, kind }) => {
      const name = basename(path, ".ts");
      return kind === "dynamic-import" && LATER[name] !== undefined
        ? { path: `./${name}.cjs`, external: true }
        : undefined;
    });
  },
};

/** Names that a source imports from a package, types left out. */
function imported(name, source) {
  const [, list = ""] = new RegExp(`import \\{([^}]*)\\} from "${name}"`).exec(source) ?? [];
  return list
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "" && !each.startsWith("type "));
}

/** commander can start programs as commands; ours never does, and that module of Node takes 7 ms. */
const processesApart = {
  name: "processes-apart",
  setup(build) {
    build.onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      importer.includes("/commander/") ? { path: "none", namespace: "no-processes" } : undefined,
    );
    build.onLoad({ filter: /./, namespace: "no-processes" }, () => ({ contents: "module.exports={};" }));
  },
};

/** Of what the command line loads on demand, only some commands, the parser, the cluster and what stands for one. */
function onlyCommands(names) {
  const kept = [...names.map((name) => `../commands/${name}.ts`), "./cli-parse.ts", "./cli-mesh.ts"];
  return {
    name: "only-commands",
    setup(build) {
      build.onResolve({ filter: /^\./ }, ({ path, kind, importer }) => {
        if (kind !== "dynamic-import" || !/\/src\/cli(?:-table\/[^/]+)?\.ts$/.test(importer)) return undefined;
        return kept.includes(path) ? undefined : { path, external: true };
      });
    },
  };
}
