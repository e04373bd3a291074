import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { apiKind, kindsOf, type SchemaSource, validatedOf } from "./schema-source.ts";

const HEADER = "// Generated from schemas/ and docs/codes/ by `npm run gen`. Do not edit.\n";

/** What `meshctl explain` looks up: names of kinds and configurations with their schema, each loaded alone; pages of codes. */
export function generateExplain(sources: readonly SchemaSource[], root: string): ReadonlyMap<string, string> {
  return new Map([
    ["src/gen/explain-index.ts", indexFile(sources)],
    ["src/gen/code-pages.ts", pagesFile(join(root, "docs/codes"))],
  ]);
}

function indexFile(sources: readonly SchemaSource[]): string {
  const kinds = kindsOf(sources).map((kind) => {
    const { group, versions, plural, shortNames, scope } = kind.header;
    const names = { kind: apiKind(kind), group, versions, plural, shortNames, namespaced: scope !== "Cluster" };
    return entry(kind, names);
  });
  const configs = validatedOf(sources)
    .filter(({ schema }) => schema["x-kind"] === undefined && schema["x-lazy"] !== true)
    .map((source) => entry(source, {}));
  const files = sources.filter(({ name, schema }) => schema["x-lazy"] !== true && !name.startsWith("output/"));
  const loaders = files.map(
    ({ file }) =>
      `  ${JSON.stringify(file)}: async () => (await import("../../schemas/${file}", { with: { type: "json" } })).default,\n`,
  );
  return `${HEADER}
/** Something that can be explained: a kind of the API, or a configuration that is none. */
export interface ExplainEntry {
  /** Our name, e.g. \`KubernetesGateway\`. */
  readonly name: string;
  readonly file: string;
  readonly summary: string;
  /** The kind at the API server; absent for a configuration. */
  readonly kind?: string;
  readonly group?: string;
  readonly versions?: readonly string[];
  readonly plural?: string;
  readonly shortNames?: readonly string[];
  readonly namespaced?: boolean;
}

/** Everything that can be explained, kinds before configurations. */
export const explainEntries: readonly ExplainEntry[] = [
${[...kinds, ...configs].join("")}];

/** Schemas by file; each is a chunk of its own. */
export const schemaFiles: Readonly<Record<string, () => Promise<unknown>>> = {
${loaders.join("")}};

/** Examples by name of the entry. */
export async function loadExamples(): Promise<Readonly<Record<string, unknown>>> {
  return (await import("../../schemas/examples.json", { with: { type: "json" } })).default;
}
`;
}

function entry({ title, file, schema }: SchemaSource, names: Readonly<Record<string, unknown>>): string {
  return `  ${JSON.stringify({ name: title, file, summary: schema.description, ...names })},\n`;
}

function pagesFile(folder: string): string {
  const lines = readdirSync(folder)
    .filter((file) => /^(IST|MSH)\d{4}\.md$/.test(file))
    .sort()
    .map((file) => `  ${file.slice(0, 7)}: ${JSON.stringify(readFileSync(join(folder, file), "utf8"))},\n`);
  return `${HEADER}
/** Pages of codes (docs/codes) in Markdown. */
export const codePages: Readonly<Record<string, string>> = {
${lines.join("")}};
`;
}
