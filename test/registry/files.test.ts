import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLogger } from "../../src/base/logger.ts";
import { filesRegistry } from "../../src/registry/files.ts";
import { waitFor } from "../support/wait.ts";

let folder: string;
let abort: AbortController;
let running: Promise<void>;
let now: readonly string[] | undefined;
let warnings: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "config-dir-"));
  abort = new AbortController();
  now = undefined;
  warnings = [];
});
afterEach(async () => {
  abort.abort();
  await running;
  rmSync(folder, { recursive: true, force: true });
});

function begin(): void {
  const registry = filesRegistry({
    folder,
    refuse: ({ metadata }) => (metadata.name === "bad" ? "it is bad" : undefined),
    log: { ...silentLogger, warn: ({ problem }) => void warnings.push(String(problem)) },
  });
  running = registry.run((objects) => {
    now = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`).toSorted();
  }, abort.signal);
}

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
const service = (name: string, namespace?: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata: { name: ${name}${namespace === undefined ? "" : `, namespace: ${namespace}`} }\n`;
const has = (...names: readonly string[]): Promise<unknown> =>
  waitFor(() => now !== undefined && JSON.stringify(now) === JSON.stringify(names), { what: names.join(", ") });

test("objects of files come, change and go with them, in folders too", async () => {
  write("a.yaml", service("a") + "---\n" + service("b", "shop"));
  write("notes.txt", service("no"));
  begin();
  await has("Service default/a", "Service shop/b");
  mkdirSync(join(folder, "more"));
  write("more/c.yaml", service("c"));
  await has("Service default/a", "Service default/c", "Service shop/b");
  write("more/d.json", '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"d"}}');
  await has("Namespace /d", "Service default/a", "Service default/c", "Service shop/b");
  rmSync(join(folder, "a.yaml"));
  await has("Namespace /d", "Service default/c");
});

test("a file that cannot be read keeps what it had; an object that is refused is left out", async () => {
  write("a.yaml", service("a"));
  begin();
  await has("Service default/a");
  write("a.yaml", "kind: [");
  write("b.yaml", service("b") + "---\n" + service("bad"));
  await has("Service default/a", "Service default/b");
  expect(warnings).toContain("Service bad: it is bad");
  expect(warnings).toHaveLength(2);
});

test("a mounted ConfigMap is followed when it is replaced", async () => {
  mkdirSync(join(folder, "..v1"));
  write("..v1/a.yaml", service("a"));
  symlinkSync("..v1", join(folder, "..data"));
  symlinkSync("..data/a.yaml", join(folder, "a.yaml"));
  begin();
  await has("Service default/a");
  mkdirSync(join(folder, "..v2"));
  write("..v2/a.yaml", service("b"));
  symlinkSync("..v2", join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  await has("Service default/b");
});
