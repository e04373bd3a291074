import { Writable } from "node:stream";
import { pino } from "pino";
import { expect, test } from "vitest";
import { levelName } from "../../src/agent/config.ts";
import { createLog } from "../../src/agent/log.ts";

test("lines are those of the library that meshd uses", () => {
  const theirs: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      theirs.push(chunk.toString());
      done();
    },
  });
  const library = pino({ level: "info", base: null, timestamp: pino.stdTimeFunctions.isoTime }, sink);
  const ours: string[] = [];
  const { log } = createLog("info", levelName, { write: (line) => ours.push(line), now: () => new Date() });
  for (const to of [library, log]) {
    to.debug({}, "unheard");
    to.info({ pid: 5, address: "10.0.0.1:15012" }, "Envoy started");
    to.warn({ list: ["a", "\n"] }, 'said "no"');
    to.error({ absent: undefined }, "failed");
  }
  const bare = (lines: readonly string[]): readonly string[] =>
    lines.map((line) => line.replace(/"time":"[-:.TZ0-9]+"/, ""));
  expect(bare(ours)).toEqual(bare(theirs));
  expect(ours).toHaveLength(3);
});

test("the level changes while it runs, to names that there are", () => {
  const said: string[] = [];
  const { log, level } = createLog("info", levelName, { write: (line) => said.push(line), now: () => new Date() });
  expect([level.set("debug"), level.get(), level.set("loud"), level.get()]).toEqual([true, "debug", false, "debug"]);
  log.debug({}, "heard");
  level.set("none");
  log.error({}, "unheard");
  expect(said.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(["heard"]);
});
