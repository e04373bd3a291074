import { expect, test } from "vitest";
import { ignoreComments } from "../../src/resources/ignore-comments.ts";

const read = (text: string): readonly unknown[] =>
  ignoreComments("f", text).map(({ position, lines, codes, reason, until }) => [
    position.line,
    position.column,
    ...lines,
    codes.join(),
    reason,
    ...(until === undefined ? [] : [until]),
  ]);

test.each([
  ["behind a field: that field", "a: 1 # meshctl:ignore IST0101 why not\nb: 2\n", [1, 6, 1, 1, "IST0101", "why not"]],
  [
    "behind a key: all below it",
    "x: 1\na: # meshctl:ignore IST0101,IST0132\n  b:\n    c: 1\n\n  d: 1\ne: 1\n",
    [2, 4, 2, 6, "IST0101,IST0132", ""],
  ],
  [
    "above a field, other comments between",
    "x: 1\n  # meshctl:ignore IST0101 r\n  # more\na:\n- b: 1\n- c: 1\nd: 1\n",
    [2, 3, 4, 6, "IST0101", "r"],
  ],
  [
    "above a list item: that item",
    "a:\n  # meshctl:ignore X1 r\n  - b: 1\n    c: 2\n  - d: 1\n",
    [2, 3, 3, 4, "X1", "r"],
  ],
  [
    "at the head: the document",
    "a: 1\n---\n# hello\n# meshctl:ignore * r\nb: 1\nc: 2\n---\nd: 1\n",
    [4, 1, 3, 6, "*", "r"],
  ],
  [
    "with an end",
    "a: 1 #meshctl:ignore X1 until now until 2027-01-31\n",
    [1, 6, 1, 1, "X1", "until now", "2027-01-31"],
  ],
  ["with carriage returns", "a: 1 # meshctl:ignore X1 r\r\nb: 2\r\n", [1, 6, 1, 1, "X1", "r"]],
  ["without a code", "a: 1 # meshctl:ignore\n", [1, 6, 1, 1, "", ""]],
])("%s", (_title, text, expected) => {
  expect(read(text)).toEqual([expected]);
});

test.each([
  ["inside a block text", "data:\n  mesh: |\n    # meshctl:ignore X1 r\n    a: 1\n"],
  ["deep inside a block text", "data:\n  mesh: |-\n    a:\n      b: 1 # meshctl:ignore X1 r\n"],
  ["as part of a word", "a: x#meshctl:ignore X1\n"],
  ["another word", "a: 1 # meshctl:ignored X1\n"],
])("%s it is no comment", (_title, text) => {
  expect(read(text)).toEqual([]);
});
