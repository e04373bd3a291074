import fc from "fast-check";
import { expect, test } from "vitest";
import { withoutAliases } from "../../src/resources/yaml-aliases.ts";
import { toYaml, toYamlWithAliases } from "../../src/resources/yaml-plain.ts";

/** A tree whose maps may stand in several places, as values of keys alone. */
const trees = fc.array(fc.tuple(fc.stringMatching(/^[a-z]{0,6}$/), fc.nat({ max: 9 })), {
  minLength: 1,
  maxLength: 12,
});

test("aliases are written out to the letters that a text without aliases has", () => {
  fc.assert(
    fc.property(trees, (steps) => {
      // each map holds some of those before it, in a list's item too
      const made: Record<string, unknown>[] = [{ type: "string", text: "two\n\nparagraphs\n" }];
      for (const [key, of] of steps) {
        const known = made[of % made.length];
        made.push({ [`k${key}`]: known, again: known, list: [{ name: "a: b", of: known }, key], empty: {} });
      }
      const value = { spec: made.at(-1), status: made[0] };
      expect(withoutAliases(toYamlWithAliases(value))).toBe(toYaml(value));
    }),
    { numRuns: 60 },
  );
});

test("an alias that is no value of a key, or stands for nothing, is told", () => {
  const shared = { a: 1 };
  expect(() => withoutAliases(toYamlWithAliases({ list: [shared, shared] }))).toThrow("to be the value of a key, got:");
  expect(() => withoutAliases("a: *ref_3\n")).toThrow("nothing that *ref_3 stands for");
});
