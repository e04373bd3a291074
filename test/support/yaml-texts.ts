import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { documentsOf } from "../../src/resources/yaml-documents.ts";

const root = join(import.meta.dirname, "../..");

/** Documents of the validation's cases and the samples: what mutations start from. */
const CORPUS: readonly string[] = ["test/validation/testdata", "samples"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .map(String)
    .filter((name) => /\.ya?ml$/.test(name))
    .toSorted()
    .flatMap((name) => documentsOf(readFileSync(join(root, folder, name), "utf8")).map(({ text }) => text)),
);

/** A document that is valid YAML, of the corpus. */
export const manifestText: fc.Arbitrary<string> = fc.constantFrom(...CORPUS);

const SNIPPETS = [
  "\t",
  "- ",
  ": ",
  "#",
  "'",
  '"',
  "{",
  "}",
  "[",
  "]",
  "&a ",
  "*a",
  "!!int ",
  "|\n",
  ">-\n",
  "---\n",
  "...\n",
  "<<: ",
  "\r\n",
  "\u0000",
  "\uFEFF",
  "é",
  "\uD83D",
  ".inf",
  "0x",
  "1e999",
  "null",
  "? ",
  "%YAML 1.2\n",
  "\\",
  "  ",
  "\n",
];

/** One change of a text, as slips of the hand make them. */
export const mutation: fc.Arbitrary<(text: string) => string> = fc.oneof(
  at((text, place) => text.slice(0, place) + text.slice(place + 1)),
  fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(...SNIPPETS)).map(
    ([share, snippet]) =>
      (text: string) =>
        text.slice(0, index(text, share)) + snippet + text.slice(index(text, share)),
  ),
  lines((all, line) => all.toSpliced(line, 1)),
  lines((all, line) => all.toSpliced(line, 0, all[line] ?? "")),
  lines((all, line) => all.toSpliced(line, 1, ` ${all[line] ?? ""}`)),
  lines((all, line) => all.toSpliced(line, 1, (all[line] ?? "").replace(/^ {2}/, ""))),
  lines((all, line) => all.toSpliced(line, 1, (all[line] ?? "").replace(/: .*$/, ":"))),
  lines((all, line) => all.toSpliced(line, 1, (all[line] ?? "").replace(/: .*$/, ": [1, {a: b}]"))),
  lines((all, line) => all.toSpliced(line, 1, (all[line] ?? "").replace(/: .*$/, ": 99999999999999999999"))),
  lines((all, line) => all.toSpliced(line, 1, (all[line] ?? "").replace(/([a-z])([a-z]+):/, "$2$1:"))),
  lines((all, line) => all.slice(0, line)),
);

function index(text: string, share: number): number {
  return Math.floor(share * text.length);
}

function at(change: (text: string, place: number) => string): fc.Arbitrary<(text: string) => string> {
  return fc.double({ min: 0, max: 1, noNaN: true }).map((share) => (text: string) => change(text, index(text, share)));
}

function lines(
  change: (all: readonly string[], line: number) => readonly string[],
): fc.Arbitrary<(text: string) => string> {
  return fc.double({ min: 0, max: 0.999, noNaN: true }).map((share) => (text: string) => {
    const all = text.split("\n");
    return change(all, Math.floor(share * all.length)).join("\n");
  });
}
