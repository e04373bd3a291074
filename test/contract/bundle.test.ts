import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { beforeAll, expect, test } from "vitest";
import { commandTable } from "../../src/cli-table.ts";

const root = join(import.meta.dirname, "../..");

interface Metafile {
  readonly outputs: Readonly<
    Record<
      string,
      {
        readonly bytes: number;
        readonly entryPoint?: string;
        readonly inputs: Readonly<Record<string, unknown>>;
        readonly imports: readonly { readonly path: string; readonly kind: string }[];
      }
    >
  >;
}
let outputs: Metafile["outputs"];

beforeAll(async () => {
  // the options that decide about chunks are those of scripts/build.mjs
  expect(readFileSync(join(root, "scripts/build.mjs"), "utf8")).toMatch(/minifySyntax: true[\s\S]*splitting: true/);
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["src/cli.ts"],
    outdir: "dist",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    minifyWhitespace: true,
    minifySyntax: true,
    metafile: true,
    write: false,
    external: ["bufferutil", "utf-8-validate"],
    logLevel: "silent",
  });
  outputs = (metafile as Metafile).outputs;
}, 60_000);

/** Files of a chunk and all chunks it loads at once, by static imports. */
function loadedAtOnce(chunk: string, seen = new Set<string>()): Set<string> {
  if (seen.has(chunk)) return seen;
  seen.add(chunk);
  for (const { path, kind } of outputs[chunk]?.imports ?? [])
    if (kind === "import-statement" && outputs[path] !== undefined) loadedAtOnce(path, seen);
  return seen;
}
const filesOf = (chunks: Set<string>): string[] =>
  [...chunks].flatMap((chunk) => Object.keys(outputs[chunk]?.inputs ?? {}));
const entry = (): string => Object.keys(outputs).find((name) => outputs[name]?.entryPoint === "src/cli.ts") ?? "";
const chunkOf = (source: string): string =>
  Object.keys(outputs).find((name) => outputs[name]?.entryPoint === source) ?? "";

test("the entry chunk is small and loads no npm package and no command", () => {
  const chunks = loadedAtOnce(entry());
  expect([...chunks].reduce((sum, chunk) => sum + (outputs[chunk]?.bytes ?? 0), 0)).toBeLessThan(10_000);
  expect(filesOf(chunks).filter((file) => file.includes("node_modules") || file.startsWith("src/commands/"))).toEqual(
    [],
  );
});

const compiled = join(root, "dist/compiled");
const scripts = readdirSync(compiled).filter((name) => name.endsWith(".cjs"));

/** Loaded by a program: packages, and parts that few runs need. */
const isLoaded = (name: string): boolean => /^(?:cel-js|client-node|envoyfilter-patch|yaml)\./.test(name);

/** Whether a new Node, with no flags but these, takes a program's bytecode for its text and what is added to that. */
function takesBytecode(name: string, flags = "", added = ""): boolean {
  const check = `
    const [path, flags, added] = process.argv.slice(1);
    const { readFileSync } = require("node:fs");
    if (flags !== "") require("node:v8").setFlagsFromString(flags);
    const options = { filename: path, cachedData: readFileSync(path + ".cache") };
    const script = new (require("node:vm").Script)(readFileSync(path, "latin1") + added, options);
    process.stdout.write(String(script.cachedDataRejected));
  `;
  const said = execFileSync(process.execPath, ["-e", check, join(compiled, name), flags, added], { encoding: "utf8" });
  expect(["true", "false"]).toContain(said);
  return said === "false";
}

test.each(scripts.filter((name) => !isLoaded(name)))(
  "the program %s is plain ASCII, and its bytecode is taken by this Node",
  (name) => {
    expect(readFileSync(join(compiled, name), "latin1")).not.toMatch(/[^\0-\x7f]/);
    expect(takesBytecode(name)).toBe(true);
    // another text is not
    expect(takesBytecode(name, "", ";")).toBe(false);
  },
);

test.each(scripts.filter(isLoaded))("the bytecode of %s is taken under the flags that a program sets", (name) => {
  expect(takesBytecode(name, "--interrupt-budget=500000")).toBe(true);
});

test("a program that is named by a first word holds every command of that word, and little else", () => {
  const words = scripts.map((name) => name.replace(".cjs", ""));
  const own = commandTable.filter(({ name }) => words.includes(name.split(" ")[0] ?? ""));
  expect(own.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["analyze", "inject list", "uninject", "validate"]),
  );
  for (const { name, load } of own) {
    const [file = "no file"] = /commands\/[a-z-]+\.ts/.exec(load.toString()) ?? [];
    const source = readFileSync(join(compiled, `${name.split(" ")[0]}.cjs`), "latin1");
    expect(source, name).toContain(`"src/${file}"`);
    expect(source, name).not.toMatch(/"src\/(?:install|controlplane|xds|local)\//);
  }
});

test("a package that few runs need is a script of its own, read when it is asked for", () => {
  const source = readFileSync(join(compiled, "inject.cjs"), "latin1");
  expect(source).not.toMatch(/node_modules\/@(?:kubernetes|marcbachmann)|node_modules\/yaml\//);
  expect(source).toContain('require("./client-node.cjs")');
  const kubeconfig = join(mkdtempSync(join(tmpdir(), "meshctl-bundle-")), "kubeconfig");
  const clusters = [{ name: "c", cluster: { server: "http://127.0.0.1:1" } }];
  const contexts = [{ name: "c", context: { cluster: "c", user: "u" } }];
  const config = { kind: "Config", "current-context": "c", clusters, contexts, users: [{ name: "u", user: {} }] };
  writeFileSync(kubeconfig, JSON.stringify(config));
  const args = [join(root, "bin/meshctl.js"), "inject", "list", "--kubeconfig", kubeconfig];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  rmSync(dirname(kubeconfig), { recursive: true });
  expect(stderr).toMatch(/^Error: .*127\.0\.0\.1:1/);
  expect(stderr).not.toContain("bug");
  expect(status).toBe(2);
});

test("version and inject need no Kubernetes client, nor does parsing", () => {
  for (const source of [
    "src/cli-parse.ts",
    "src/commands/version.ts",
    "src/commands/inject.ts",
    "src/commands/install.ts",
  ]) {
    const files = filesOf(loadedAtOnce(chunkOf(source)));
    expect(files, source).toContain(source);
    expect(
      files.filter((file) => file.includes("@kubernetes/client-node")),
      source,
    ).toEqual([]);
  }
});

test("validate and analyze load no Kubernetes client, no certificate library and no control plane at once", () => {
  for (const source of ["src/commands/validate.ts", "src/commands/analyze.ts"]) {
    const chunks = loadedAtOnce(chunkOf(source));
    const files = filesOf(chunks);
    expect(files, source).toContain(source);
    expect(
      files.filter((file) => /@kubernetes|@peculiar|protobufjs|grpc|src\/(?:local|controlplane|xds)\//.test(file)),
      source,
    ).toEqual([]);
    expect(
      [...chunks].reduce((sum, chunk) => sum + (outputs[chunk]?.bytes ?? 0), 0),
      source,
    ).toBeLessThan(2_500_000);
  }
});
