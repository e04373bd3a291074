import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createModuleCache, type ModuleCache } from "../../../src/agent/extensions/module-cache.ts";
import type { ModuleWish } from "../../../src/agent/extensions/module-config.ts";
import { sha256 } from "../../support/wasm/module.ts";

const folder = mkdtempSync(join(tmpdir(), "modules-"));
afterAll(() => rmSync(folder, { recursive: true }));
const signal = new AbortController().signal;

/** A cache over a place whose content can be set, and how often it was asked. */
function place() {
  const state = { content: "one", fetched: 0 };
  const cache = createModuleCache(mkdtempSync(join(folder, "cache-")), async () => {
    state.fetched += 1;
    const bytes = Buffer.from(state.content);
    if (state.content === "") throw new Error("nothing there");
    return { checksum: sha256(bytes), bytes };
  });
  return { cache, state };
}

const wish = (more: Partial<ModuleWish> = {}): ModuleWish => ({
  url: "oci://registry.example/filter:1.0",
  sha256: "",
  policy: undefined,
  version: "1",
  timeout: 1_000,
  ...more,
});

const content = async (cache: ModuleCache, of: ModuleWish, name = "a"): Promise<string> =>
  readFileSync(await cache.file(name, of, signal), "utf8");

test("what is there is not fetched again, whatever changes about the object", async () => {
  const { cache, state } = place();
  expect(await content(cache, wish())).toBe("one");
  state.content = "two";
  expect(await content(cache, wish({ version: "2" }))).toBe("one");
  expect(state.fetched).toBe(1);
});

test.each([
  ["Always", wish({ policy: "Always" })],
  ["the tag latest", wish({ url: "oci://registry.example/filter:latest" })],
  ["no tag", wish({ url: "oci://registry.example:5000/filter" })],
])("%s: a changed object fetches again, the same one does not", async (_, asked) => {
  const { cache, state } = place();
  await content(cache, asked);
  state.content = "two";
  expect(await content(cache, asked)).toBe("one");
  expect(await content(cache, { ...asked, version: "2" })).toBe("two");
  expect(state.fetched).toBe(2);
});

test("IfNotPresent holds for the tag latest too", async () => {
  const { cache, state } = place();
  const asked = wish({ url: "oci://registry.example/filter:latest", policy: "IfNotPresent" });
  await content(cache, asked);
  await content(cache, { ...asked, version: "2" });
  expect(state.fetched).toBe(1);
});

test("other content is another file, and by checksum both can be had", async () => {
  const { cache, state } = place();
  const first = await cache.file("a", wish({ policy: "Always" }), signal);
  state.content = "two";
  expect(await cache.file("a", wish({ policy: "Always", version: "2" }), signal)).not.toBe(first);
  expect(await cache.file("b", wish({ sha256: sha256(Buffer.from("one")) }), signal)).toBe(first);
  expect(state.fetched).toBe(2);
});

test("several that wish the same at once fetch it once", async () => {
  const { cache, state } = place();
  const names = ["a", "b", "c"];
  const files = await Promise.all(names.map((name) => cache.file(name, wish(), signal)));
  expect(new Set(files).size).toBe(1);
  expect(state.fetched).toBe(1);
});

test("a failure is not kept", async () => {
  const { cache, state } = place();
  state.content = "";
  await expect(cache.file("a", wish(), signal)).rejects.toThrow("nothing there");
  state.content = "one";
  expect(await content(cache, wish())).toBe("one");
});

test("who lacks its Secret gets no copy that others have", async () => {
  const { cache } = place();
  await cache.file("a", wish(), signal);
  await expect(cache.file("b", wish({ pullSecret: "" }), signal)).rejects.toThrow("imagePullSecret");
});

test("a file goes an hour after its last use", async () => {
  const { cache } = place();
  const file = await cache.file("a", wish(), signal);
  await cache.keep(["a"], 0);
  await cache.keep([], 1_000);
  await cache.keep([], 3_600_999);
  expect(existsSync(file)).toBe(true);
  await cache.keep([], 3_601_000);
  expect(existsSync(file)).toBe(false);
  expect(await cache.file("a", wish(), signal)).toBe(file);
});
