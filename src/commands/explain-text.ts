import type { ExplainEntry } from "../gen/explain-index.ts";
import type { ExplainedField, Explanation } from "./explain-data.ts";

const WIDTH = 100;

/** An explanation as text for a terminal; plain, so that it can be piped and read. */
export function explanationText(
  about: Explanation,
  others: readonly string[],
  toYaml: ((value: unknown) => string) | undefined,
): string {
  const heading: [string, string | undefined][] = [
    ["KIND", about.kind === undefined ? undefined : kindWords(about)],
    ["CONFIG", about.kind === undefined ? about.name : undefined],
    ["VERSIONS", about.apiVersions?.join(", ")],
    ["FIELD", about.path === about.name ? undefined : `${about.path.slice(about.name.length + 1)} <${about.type}>`],
    ["REQUIRED", about.required ? "yes" : undefined],
    ["DEFAULT", about.default],
    ["VALUES", about.enum?.join(", ")],
  ];
  const lines = heading.flatMap(([label, words]) =>
    words === undefined ? [] : [`${`${label}:`.padEnd(10)} ${words}`],
  );
  const parts = [lines.join("\n"), section("DESCRIPTION", wrap(about.description, 2))];
  if (about.limits !== undefined)
    parts.push(section("LIMITS", about.limits.map((limit) => wrap(`- ${limit}`, 2)).join("\n")));
  if (about.fields.length > 0) parts.push(section("FIELDS", about.fields.map(fieldText).join("\n\n")));
  if (about.example !== undefined && toYaml !== undefined)
    parts.push(section("EXAMPLE", indented(toYaml(about.example).trimEnd(), 2)));
  if (others.length > 0) parts.push(`Of the same name: ${others.map((name) => `meshctl explain ${name}`).join(", ")}`);
  return `${parts.join("\n\n")}\n`;
}

function kindWords({ name, kind, plural, shortNames = [], namespaced }: Explanation): string {
  const names = [plural, ...shortNames].join(", ");
  const own = kind === name ? "" : `, here ${name}`;
  return `${kind ?? name} (${names}${namespaced === false ? "; cluster scope" : ""})${own}`;
}

function section(title: string, body: string): string {
  return `${title}:\n${body}`;
}

function fieldText({ name, type, required, enum: values, deprecated, description }: ExplainedField): string {
  const marks = [required ? " -required-" : "", deprecated === true ? " -deprecated-" : ""].join("");
  const choices = values === undefined ? "" : `\n    values: ${values.join(", ")}`;
  return `  ${name} <${type}>${marks}\n${wrap(description, 4)}${choices}`;
}

function indented(text: string, by: number): string {
  return text
    .split("\n")
    .map((line) => (line === "" ? line : " ".repeat(by) + line))
    .join("\n");
}

function wrap(text: string, by: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && by + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return indented([...lines, line].join("\n"), by);
}

/** Everything that can be explained, in three columns. */
export function listText(entries: readonly ExplainEntry[]): string {
  const rows = entries.map(({ name, group, versions, shortNames }) => [
    name,
    (shortNames ?? []).join(","),
    group === undefined ? "configuration" : `${group}/${versions?.[0] ?? ""}`,
  ]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? "").length)) + 2);
  const text = rows.map(
    ([name = "", short = "", group = ""]) => name.padEnd(widths[0] ?? 0) + short.padEnd(widths[1] ?? 0) + group,
  );
  return `${text.join("\n")}\n\nAlso every code, e.g. meshctl explain IST0101.\n`;
}
