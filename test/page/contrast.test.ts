import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

// WCAG 2.1, 1.4.3: text against what it stands on, at least 4.5 to 1.
const css = readFileSync(join(import.meta.dirname, "../../src/page/page.css"), "utf8");

/** The colours of light or dark mode by name. */
function colours(start: string): Readonly<Record<string, string>> {
  const block = css.slice(css.indexOf(start)).split("}")[0] ?? "";
  const found: [string, string][] = [...block.matchAll(/--(\w+): (#[0-9a-f]{6});/g)].map(
    ([, name = "", value = ""]) => [name, value],
  );
  return Object.fromEntries(found);
}

function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

test.each([
  ["light", ":root {\n  color-scheme"],
  ["dark", "  :root {\n    --paper"],
])("%s mode: every colour of text can be read on paper and on a sheet", (_mode, start) => {
  const found = colours(start);
  const texts = ["ink", "faint", "link", "good", "warn", "bad"];
  expect(Object.keys(found)).toEqual(expect.arrayContaining([...texts, "paper", "sheet"]));
  for (const text of texts)
    for (const ground of ["paper", "sheet"])
      expect(contrast(found[text] ?? "", found[ground] ?? ""), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
});
