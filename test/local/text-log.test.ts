import { expect, test } from "vitest";
import { textLogger } from "../../src/local/text-log.ts";

test("the node's log is lines for people: time, level, words, then what they are about", () => {
  const lines: string[] = [];
  const log = textLogger(
    (line) => lines.push(line),
    () => new Date(2026, 0, 2, 3, 4, 5),
  );
  log.info({}, "listening");
  log.warn({ pod: "web-1", error: new Error("refused"), attempt: 2 }, "status not written");
  log.debug({}, "left out");
  expect(lines).toEqual([
    "03:04:05 info  listening\n",
    "03:04:05 warn  status not written (pod=web-1, error=refused, attempt=2)\n",
  ]);
});
