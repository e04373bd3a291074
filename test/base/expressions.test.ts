import { expect, test } from "vitest";
import { compileExpression } from "../../src/base/expressions.ts";
import { compileTemplate, TemplateError } from "../../src/base/template.ts";

const data = {
  labels: { app: "web" },
  annotations: {},
  port: 8080,
  missing: undefined,
  pod: { spec: { containers: [{ name: "a" }, { name: "b", ports: [{ containerPort: 80 }] }] } },
};
const fill = (template: unknown): unknown => compileTemplate(template, { expressions: compileExpression })(data);

test.each<[string, unknown, unknown]>([
  ["arithmetic of whole numbers", "${{ port + 1 }}", 8081],
  ["words inside text", "x-${{ labels.app }}-${{ port }}", "x-web-8080"],
  ["a choice", '${{ port > 80 ? "high" : "low" }}', "high"],
  ["what may not be there", '${{ labels[?"team"].orValue("none") }}', "none"],
  ["an optional that is empty leaves the key out", { a: "${{ labels.?team }}", b: 1 }, { b: 1 }],
  ["lists", "${{ pod.spec.containers.map(c, c.name) }}", ["a", "b"]],
  ["maps with braces", '${{ {"a": {"b": port}} }}', { a: { b: 8080 } }],
  [
    "$when",
    [
      { $when: '${{ labels.app == "web" }}', v: 1 },
      { $when: "${{ has(labels.team) }}", v: 2 },
    ],
    [{ v: 1 }],
  ],
  ["$splice", [{ $splice: "${{ pod.spec.containers.filter(c, has(c.ports)).map(c, c.name) }}" }], ["b"]],
])("an expression gives %s", (_, template, filled) => {
  expect(fill(template)).toEqual(filled);
});

test.each<[string, string]>([
  ["${{ 1 + }}", "not an expression of CEL"],
  ["${{ nope }}", "Unknown variable: nope"],
  ["${{ labels.team }}", "No such key: team"],
  ["${{ labels.constructor }}", "No such key: constructor"],
  ["${{ missing }}", "Unknown variable: missing"],
  ["a ${{ [1] }}", "is no text"],
])("%s is refused: %s", (template, words) => {
  expect(() => fill(template)).toThrow(TemplateError);
  expect(() => fill(template)).toThrow(words);
});

test("without its language an expression is refused, and other names than those given too", () => {
  expect(() => compileTemplate("${{ 1 }}")).toThrow("expressions are not known here");
  expect(() => compileTemplate("${labes.app}", { names: ["labels"] })).toThrow(
    "there is no labes, did you mean labels?",
  );
  expect(() => compileTemplate("${x.app}", { names: ["labels"] })).toThrow("there is no x, only labels");
});
