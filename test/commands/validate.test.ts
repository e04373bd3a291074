import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { EnvironmentError } from "../../src/base/errors.ts";
import { main } from "../../src/cli.ts";
import { listSources } from "../../src/commands/sources.ts";
import { textBlocks } from "../../src/commands/text-blocks.ts";
import { validate, type ValidateOutcome } from "../../src/commands/validate.ts";
import { REPORT_FORMATS } from "../../src/report/index.ts";
import { type FakeIo, fakeIo } from "../support/fake-io.ts";

const folder = mkdtempSync(join(tmpdir(), "meshctl-validate-"));
afterAll(() => rmSync(folder, { recursive: true }));

const good = (name: string): string => `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\n`;
const bad = (name: string): string =>
  `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata:\n  name: ${name}\nspec:\n  hots: web\n`;

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  return path;
}

async function run(names: readonly string[], io: FakeIo = fakeIo({ cwd: folder })): Promise<ValidateOutcome> {
  return validate({ names, namespace: "default", outputs: [{ format: "text" }] }, io);
}

test.each(REPORT_FORMATS)("%s: exit code 0, 1 and 2 as in every other format", async (format) => {
  const [fine, wrong, broken] = [
    file("fine.yaml", good("a")),
    file("wrong.yaml", bad("a")),
    file("broken.yaml", "a: [\n"),
  ];
  const exits = [];
  for (const path of [fine, wrong, broken]) exits.push(await main(["validate", "-f", path, "-o", format], fakeIo()));
  exits.push(await main(["validate", join(folder, "nowhere.yaml"), "-o", format], fakeIo()));
  expect(exits).toEqual([0, 1, 2, 2]);
});

test("a large file is taken in blocks of whole documents; lines are counted through", async () => {
  const documents = Array.from({ length: 20_000 }, (_, index) => (index % 5000 === 4999 ? bad : good)(`o${index}`));
  const path = file("large.yaml", documents.join("---\n"));
  const [source] = await listSources([path], { cwd: folder });
  const blocks = [];
  for await (const block of textBlocks(source!, fakeIo())) blocks.push(block);
  expect(blocks.length).toBeGreaterThan(5);
  expect(blocks.map(({ text }) => text).join("")).toBe(documents.join("---\n"));
  const { objects, findings } = await run([path]);
  expect(objects).toBe(20_000);
  // 5 lines a document and its separator; the second to last line of a bad one has the unknown field
  const lines = documents.join("---\n").split("\n");
  expect(findings.length).toBeGreaterThanOrEqual(4);
  for (const { position, args } of findings)
    if (String(args["problem"]).includes("hots")) expect(lines[position!.line - 1]).toBe("  hots: web");
  expect(new Set(findings.map(({ position }) => position!.line)).size).toBeGreaterThanOrEqual(4);
});

test.each([
  ["a file that is not there", () => join(folder, "nowhere.yaml"), /does not exist/],
  ["a directory without manifests", () => join(file("empty/readme.txt", "x"), ".."), /holds no manifests/],
  ["a binary file", () => file("binary.yaml", Buffer.from([1, 2, 0, 3])), /binary file/],
  ["UTF-16, little end first", () => file("utf16le.yaml", Buffer.from(`\uFEFF${good("a")}`, "utf16le")), /UTF-16/],
  [
    "UTF-16, big end first",
    () => file("utf16be.yaml", Buffer.from(`\uFEFF${good("a")}`, "utf16le").swap16()),
    /UTF-16/,
  ],
  ["Latin-1", () => file("latin1.yaml", Buffer.from("a: \u00e9\n", "latin1")), /not UTF-8/],
  ["one document of 70 MB", () => file("huge.yaml", Buffer.alloc(70_000_000, "a")), /more than 64 MB/],
  ["an empty file", () => file("nothing.yaml", "# nothing\n"), /held no object/],
  ["a pattern without matches", () => "*.nothing", /nothing matches/],
])("%s: what is wrong, exit code 2", async (_name, path, words) => {
  await expect(run([path()])).rejects.toThrow(words);
  await expect(run([path()])).rejects.toBeInstanceOf(EnvironmentError);
  expect(await main(["validate", path()], fakeIo({ cwd: folder }))).toBe(2);
});

test("standard input that is closed", async () => {
  const closed = Object.assign(new Error("EBADF: bad file descriptor"), { code: "EBADF", errno: -9 });
  const io = fakeIo({ readStdin: () => Promise.reject(closed) });
  expect(await main(["validate", "-"], io)).toBe(2);
  expect(io.stderr()).toMatch(/^Error: standard input cannot be read/);
});

test("files once, in the order given; patterns, hidden folders, links to folders", async () => {
  for (const name of ["tree/b.yaml", "tree/a/c.yml", "tree/.hidden/d.yaml", "tree/a/deep/e.json", "tree/x.txt"])
    file(name, good("a"));
  symlinkSync(join(folder, "tree/a"), join(folder, "tree/link"));
  const names = async (...given: string[]): Promise<readonly string[]> =>
    (await listSources(given, { cwd: folder })).map((source) => source.file);
  expect(await names("tree")).toEqual([
    "tree/a/c.yml",
    "tree/a/deep/e.json",
    "tree/b.yaml",
    "tree/link/c.yml",
    "tree/link/deep/e.json",
  ]);
  expect(await names("tree/b.yaml", "tree/*.yaml", "-")).toEqual(["tree/b.yaml", "stdin"]);
  expect(await names("tree/**/*.json")).toEqual(["tree/a/deep/e.json"]);
  expect(await names("tree/?/c.*")).toEqual(["tree/a/c.yml"]);
});

test("several reports at once, into folders that are made; one that cannot be written is exit code 2", async () => {
  const path = file("wrong.yaml", bad("a"));
  const io = fakeIo({ cwd: folder });
  expect(await main(["validate", path, "-o", "json", "-o", "sarif=out/a.sarif", "-o", "text=out/a.txt"], io)).toBe(1);
  expect(JSON.parse(io.stdout())).toHaveLength(2);
  const taken = fakeIo({ cwd: folder });
  expect(await main(["validate", path, "-o", `sarif=${path}/x`], taken)).toBe(2);
  expect(taken.stderr()).toMatch(/cannot be written/);
});
