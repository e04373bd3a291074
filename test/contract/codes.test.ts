import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { analyzers } from "../../src/analyzers/index.ts";
import { analyze } from "../../src/commands/analyze.ts";
import { codes } from "../../src/diagnostics/codes.ts";
import { fakeIo } from "../support/fake-io.ts";

const folder = join(import.meta.dirname, "../../docs/codes");
const pages = readdirSync(folder).filter((file) => file !== "TEMPLATE.md");
const names = Object.keys(codes);

test("codes are sorted, well formed, and every code has a page and every page a code", () => {
  expect(names).toEqual(names.toSorted());
  for (const name of names) expect(name).toMatch(/^(?:IST|MSH)\d{4}$/);
  expect(pages.toSorted()).toEqual(names.map((name) => `${name}.md`));
});

test("summaries are one sentence, names are unique", () => {
  const records = Object.values(codes);
  expect(new Set(records.map(({ name }) => name)).size).toBe(records.length);
  for (const { summary } of records) expect(summary).toMatch(/^[A-Z].*\.$/);
});

test.each(Object.entries(codes))("page of %s: heading, level and sections as the template has them", (code, record) => {
  const page = readFileSync(join(folder, `${code}.md`), "utf8");
  expect(page).toContain(`# ${code} ${record.name}\n\n${record.level}. `);
  expect([...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title)).toEqual([
    "What happens",
    "Example",
    "What to do",
  ]);
});

/** Whether only analyzers of profile security raise a code. */
function needsSecurity(code: string): boolean {
  const raising = analyzers.filter(({ codes: own }) => own.some((each) => each === code));
  return raising.length > 0 && raising.every(({ profile }) => profile === "security");
}

/** Codes that no text alone can raise: a defect of ours, and what takes several clusters. Their tests are elsewhere. */
const WITHOUT_EXAMPLE: Readonly<Record<string, string>> = {
  IST0001: "test/analyzers/run.test.ts",
  IST0170: "test/analyzers/multi-cluster.test.ts",
};

test.each(Object.entries(WITHOUT_EXAMPLE))("%s is raised in %s", (code, file) => {
  expect(readFileSync(join(import.meta.dirname, "../..", file), "utf8")).toContain(code);
  expect(readFileSync(join(folder, `${code}.md`), "utf8")).not.toContain("```yaml bad");
});

test.each(names.filter((code) => !(code in WITHOUT_EXAMPLE)))(
  "examples of %s: the bad one raises it, the good one raises nothing",
  async (code) => {
    const page = readFileSync(join(folder, `${code}.md`), "utf8");
    const example = (kind: string): string =>
      new RegExp(`\`\`\`yaml ${kind}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? "";
    const run = async (text: string): Promise<readonly string[]> => {
      expect(text.trim()).not.toBe("");
      const options = { sources: ["-"], cluster: "no", namespace: "default", allNamespaces: false } as const;
      const output = { rootNamespace: "istio-system", failureThreshold: "Error" } as const;
      const profiles = needsSecurity(code) ? (["security"] as const) : [];
      const { findings } = await analyze({ ...options, ...output, profiles }, fakeIo({ stdin: text }));
      // what this mesh does not obey yet is another matter than what the page is about
      return findings
        .filter(({ code: found, args }) => found === code || args["rule"] !== "field-without-effect")
        .map((found) => found.code);
    };
    expect(await run(example("bad"))).toContain(code);
    expect(await run(example("good"))).toEqual([]);
  },
);
