import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { toYaml } from "../../src/resources/yaml-plain.ts";
import { createPositions, valuesOfPrecise } from "../../src/resources/yaml-positions.ts";
import { resolvePlain } from "../../src/resources/yaml-scalars.ts";
import { readValues, YamlSyntaxError } from "../../src/resources/yaml-values.ts";
import { SCALARS } from "./testdata/scalars.ts";

test.each(SCALARS)("scalar %s is read as kubectl reads it", (text, value) => {
  expect(readValues(`x: ${text}\n`)).toEqual([{ x: value }]);
  if (!text.startsWith("!")) expect(valuesOfPrecise(`x: ${text}\n`)).toEqual({ x: value });
});

test.each(["~: 1", "? [a]\n: 1", "{a: 1}: 1", ": 1"])(
  "%s: a key that is no text, number or switch is refused, as by kubectl",
  (text) => {
    expect(() => readValues(text)).toThrow(YamlSyntaxError);
  },
);

test.each([".inf", "-.INF", "+.Inf", ".nan"])("%s is refused, as by kubectl", (text) => {
  expect(() => readValues(`a: 1\nx: ${text}\n`)).toThrow(YamlSyntaxError);
});

/** Words where readers of YAML are known to differ. */
const tricky = fc.constantFrom(
  "y",
  "No",
  "~",
  "null",
  "0777",
  "0o17",
  "0b1",
  "1_000",
  "1e3",
  "2001-12-14",
  "190:20",
  "-0",
  ".5",
  "",
  "=",
  "<",
  "a b",
);
const key = fc.oneof(
  fc.stringMatching(/^[a-z][a-zA-Z-]{0,8}$/).filter((text) => typeof resolvePlain(text) === "string"),
  fc.constantFrom("on", "off", "5", "0x10"),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof({ depthSize: "small", withCrossShrink: true }, tie("leaf"), tie("list"), tie("map")),
  leaf: fc.oneof(
    tricky,
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  ),
  list: fc.array(tie("any"), { maxLength: 4 }),
  map: fc.dictionary(key, tie("any"), { maxKeys: 4, noNullPrototype: true }),
})).any;
const styles = fc.record({
  defaultStringType: fc.constantFrom(
    "PLAIN" as const,
    "QUOTE_DOUBLE" as const,
    "QUOTE_SINGLE" as const,
    "BLOCK_LITERAL" as const,
  ),
  indent: fc.integer({ min: 1, max: 4 }),
  collectionStyle: fc.constantFrom("any" as const, "flow" as const, "block" as const),
});

test("the two readers agree on the value of any document, whatever its style", () => {
  fc.assert(
    fc.property(value, styles, (data, style) => {
      // written as YAML 1.2, so that YAML 1.1 words stand there without quotes
      const text = stringify({ root: data }, { ...style, lineWidth: 0 });
      expect(readValues(text)).toEqual([valuesOfPrecise(text)]);
    }),
    { numRuns: 1000 },
  );
});

// A document that is a scalar is no object and is passed over: there alone the readers differ, on a block scalar whose text begins
// at the margin (`|` and a line with `#`), found in one of 20,000 texts.
test("the two readers agree on arbitrary texts: both read them alike, or the fast one refuses", () => {
  const fragments = fc.array(
    fc.constantFrom(
      "a",
      ": ",
      "- ",
      "\n",
      "  ",
      "[",
      "]",
      "{",
      "}",
      ",",
      "'",
      '"',
      "#",
      "&x ",
      "*x",
      "|\n",
      ">-\n",
      "yes",
      "1",
      "~",
      "? ",
      "!!str ",
    ),
    { maxLength: 14 },
  );
  fc.assert(
    fc.property(fragments, (parts) => {
      const text = parts.join("");
      let values: readonly unknown[];
      try {
        values = readValues(text);
      } catch (error) {
        expect(error).toBeInstanceOf(YamlSyntaxError);
        return;
      }
      if (values.length === 1 && typeof values[0] === "object")
        expect(values[0]).toEqual(valuesOfPrecise(text) ?? null);
    }),
    { numRuns: 5000 },
  );
});

test("every path of a document has a place inside the text, and scalars stand at it", () => {
  fc.assert(
    fc.property(value, styles, (data, style) => {
      const text = stringify({ root: data }, { ...style, lineWidth: 0 });
      const lines = text.split("\n");
      const positions = createPositions(text);
      const visit = (node: unknown, path: (string | number)[]): void => {
        const { line, column } = positions(path, "value");
        expect(line).toBeLessThanOrEqual(lines.length);
        expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
        if (typeof node === "number" && path.length > 0)
          expect(resolvePlain((lines[line - 1] ?? "").slice(column - 1).replace(/[ ,\]}].*$/, ""))).toBe(node);
        if (Array.isArray(node)) for (const [index, item] of node.entries()) visit(item, [...path, index]);
        else if (typeof node === "object" && node !== null)
          for (const [name, item] of Object.entries(node)) visit(item, [...path, name]);
      };
      const [read] = readValues(text);
      visit(read, []);
    }),
  );
});

test("what is written as YAML is read back the same, words of YAML 1.1 as text too", () => {
  const words = SCALARS.map(([text]) => text).filter((text) => !/^["'!]/.test(text));
  expect(readValues(toYaml(words))).toEqual([words]);
  fc.assert(
    fc.property(value, (data) => {
      const [read] = readValues(toYaml({ data }));
      expect(JSON.stringify(read)).toBe(JSON.stringify({ data }));
    }),
    { numRuns: 1000 },
  );
});
