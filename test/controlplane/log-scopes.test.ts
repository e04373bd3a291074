import { expect, test } from "vitest";
import type { Logger } from "../../src/base/logger.ts";
import { createLogScopes, readLevels, scopesQuestion } from "../../src/controlplane/log-scopes.ts";

/** A log that keeps what it was told. */
function recorder(): { readonly log: Logger; readonly said: string[] } {
  const said: string[] = [];
  const note =
    (level: string) =>
    (fields: Readonly<Record<string, unknown>>, words: string): void =>
      void said.push(`${level} ${String(fields["scope"])} ${words}`);
  return { log: { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") }, said };
}

test.each([
  ["warn", "ads", ["warn ads x", "error ads x"]],
  ["ads:debug,default:error", "ads", ["debug ads x", "info ads x", "warn ads x", "error ads x"]],
  ["ads:debug,default:error", "ca", ["error ca x"]],
  ["all:none", "ca", []],
] as const)("levels %s: scope %s says %j", (text, scope, expected) => {
  const { log, said } = recorder();
  const read = readLevels(text);
  if (typeof read === "string") throw new Error(read);
  const logger = createLogScopes(log, read.levels).scope(scope);
  for (const level of ["debug", "info", "warn", "error"] as const) logger[level]({}, "x");
  expect(said).toEqual(expected);
});

test("scopes of Istio that we have not are named, levels that are none are refused", () => {
  expect(readLevels("default:info,wasm:debug")).toEqual({ levels: { default: "info" }, unknown: ["wasm"] });
  expect(readLevels("ads:loud")).toContain('expected a level (debug, info, warn, error, none), got "ads:loud"');
});

test("the question shows levels, changes them, and gives back those of the start", async () => {
  const { log, said } = recorder();
  const scopes = createLogScopes(log, { default: "info" });
  const { answer, change } = scopesQuestion(scopes);
  const level = async (name: string): Promise<string | undefined> => {
    const { body } = await answer(new URL("http://x/"));
    const list = JSON.parse(String(body)) as { scope_name: string; log_level: string }[];
    return list.find(({ scope_name }) => scope_name === name)?.log_level;
  };
  const ask = async (query: string): Promise<number | undefined> =>
    (await change?.(new URL(`http://x/?${query}`)))?.status;
  expect(await level("ads")).toBe("info");
  const ads = scopes.scope("ads");
  ads.debug({}, "unheard");
  expect(await ask("level=ads:debug")).toBe(200);
  ads.debug({}, "heard");
  expect([await level("ads"), await level("ca")]).toEqual(["debug", "info"]);
  expect(await ask("level=nothing:debug")).toBe(400);
  expect(await ask("level=ads:loud")).toBe(400);
  expect(await ask("reset")).toBe(200);
  expect(await level("ads")).toBe("info");
  expect(said).toEqual(["debug ads heard"]);
});
