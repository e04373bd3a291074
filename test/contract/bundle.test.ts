import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Script } from "node:vm";
import { build } from "esbuild";
import { beforeAll, expect, test } from "vitest";

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
});

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

test("the program in one piece is plain ASCII, and its bytecode is taken by this Node", () => {
  const program = join(root, "dist/compiled/cli.cjs");
  const source = readFileSync(program, "latin1");
  const cachedData = readFileSync(`${program}.cache`);
  expect(source).not.toMatch(/[^\0-\x7f]/);
  expect(new Script(source, { filename: program, cachedData }).cachedDataRejected).toBe(false);
  // another text is not
  expect(new Script(`${source};`, { filename: program, cachedData }).cachedDataRejected).toBe(true);
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
