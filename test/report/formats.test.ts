import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UsageError } from "../../src/base/errors.ts";
import { fingerprintsOf } from "../../src/diagnostics/fingerprint.ts";
import { render, REPORT_FORMATS, type ReportFormat } from "../../src/report/index.ts";
import { parseOutputs } from "../../src/report/outputs.ts";
import { readValues } from "../../src/resources/yaml-values.ts";
import { expectGolden, expectNoStaleGoldens } from "../support/golden.ts";
import { CONTEXT, FINDINGS } from "./shared.ts";

const [first] = FINDINGS;
const goldens = join(import.meta.dirname, "testdata");

test.each(REPORT_FORMATS)("%s of every kind of finding", (format) => {
  expectGolden(join(goldens, `${format}.txt`), render(format, FINDINGS, CONTEXT));
});

test("no golden is left over", () => {
  expectNoStaleGoldens(
    goldens,
    [...REPORT_FORMATS, "text.terminal"].map((name) => `${name}.txt`),
  );
});

test("text on a terminal: by file, with excerpts", () => {
  const shown = render("text", FINDINGS, { ...CONTEXT, terminal: true, env: { NO_COLOR: "1" } });
  expectGolden(join(goldens, "text.terminal.txt"), shown);
});

test("text on a terminal: a long line is cut around the place, the caret stands below it", () => {
  const line = `${"x".repeat(300)}HERE${"y".repeat(300)}`;
  const found = { ...first!, position: { file: "a.json", line: 1, column: 301 } };
  const [, , source, caret] = render("text", [found], {
    ...CONTEXT,
    terminal: true,
    env: { NO_COLOR: "1" },
    sourceLine: () => line,
  }).split("\n");
  expect(source!.length).toBeLessThan(140);
  expect(source!.slice(caret!.indexOf("^")).startsWith("HERE")).toBe(true);
});

test.each<[ReportFormat, string]>([
  ["text", ""],
  ["log", ""],
  ["json", "[]\n"],
  ["yaml", "[]\n"],
  ["github", ""],
  ["gitlab", "[]\n"],
])("%s without findings and without anything left out", (format, text) => {
  const { summary: _, ...context } = CONTEXT;
  expect(render(format, [], context)).toBe(text);
});

test("yaml says what json says", () => {
  expect(readValues(render("yaml", FINDINGS, CONTEXT))).toEqual([JSON.parse(render("json", FINDINGS, CONTEXT))]);
});

test("what was skipped is said in every format that has a place for it", () => {
  for (const format of ["json", "yaml", "sarif", "junit", "github", "gitlab", "markdown"] as const) {
    const text = render(format, [], CONTEXT);
    expect(text, format).toContain("may not list pods");
    if (format !== "json" && format !== "yaml") expect(text, format).toContain("services of namespace shop");
  }
});

interface Ajv {
  readonly addMetaSchema: (schema: unknown) => void;
  readonly compile: (schema: unknown) => { (value: unknown): boolean; readonly errors?: unknown };
}

test("sarif holds to the published schema, empty, full and with suppressions", () => {
  const local = createRequire(import.meta.url);
  const home = createRequire(local.resolve("@microsoft/jest-sarif/package.json"));
  const AjvClass = home("ajv") as new (options: object) => Ajv;
  const ajv = new AjvClass({ schemaId: "auto", meta: false, allErrors: true, unknownFormats: "ignore" });
  ajv.addMetaSchema(home("ajv/lib/refs/json-schema-draft-04.json"));
  const path = local.resolve("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json");
  const validate = ajv.compile(JSON.parse(readFileSync(path, "utf8")));
  for (const findings of [[], FINDINGS]) {
    expect(validate(JSON.parse(render("sarif", findings, CONTEXT))), JSON.stringify(validate.errors)).toBe(true);
    expect(validate(JSON.parse(render("sarif", findings, { ...CONTEXT, summary: {} })))).toBe(true);
  }
  const broken = render("sarif", FINDINGS, CONTEXT).replace('"startLine": 3', '"startLine": 0');
  expect(validate(JSON.parse(broken))).toBe(false);
});

test("fingerprints stay when lines, files and items before them move, and tell findings apart", () => {
  const moved = FINDINGS.map((found) => ({
    ...found,
    path: found.path.map((step) => (typeof step === "number" ? step + 1 : step)),
    ...(found.object === undefined ? {} : { position: { file: "elsewhere.yaml", line: 99, column: 1 } }),
  }));
  expect(fingerprintsOf(moved)).toEqual(fingerprintsOf(FINDINGS));
  expect(new Set(fingerprintsOf([...FINDINGS, ...FINDINGS])).size).toBe(FINDINGS.length * 2);
});

test("github: what a user wrote begins no command", () => {
  const lines = render("github", FINDINGS, CONTEXT).trimEnd().split("\n");
  expect(lines.every((line) => /^::(?:error|warning|notice) /.test(line))).toBe(true);
  expect(lines.filter((line) => line.startsWith("::error "))).toHaveLength(3);
});

test("markdown: a comment stays within GitHub's limit and says how many are left out", () => {
  const many = Array.from({ length: 2000 }, () => first!);
  const text = render("markdown", many, CONTEXT);
  expect(text.length).toBeLessThan(65_536);
  expect(text).toMatch(/- \d+ more findings\./);
});

test("-o FORMAT=FILE, several times", () => {
  expect(parseOutputs([])).toEqual([{ format: "text" }]);
  expect(parseOutputs(["text", "sarif=out/a=b.sarif"])).toEqual([
    { format: "text" },
    { format: "sarif", file: "out/a=b.sarif" },
  ]);
  for (const wrong of [["xml"], ["sarf"], ["text", "json"], ["json=a", "yaml=a"], ["json="]])
    expect(() => parseOutputs(wrong)).toThrow(UsageError);
});
