import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { definitionName, flatName } from "./names.ts";
import {
  apiKind,
  isGatewayApi,
  type JsonSchema,
  type KindHeader,
  kindsOf,
  resolveRef,
  type SchemaSource,
} from "./schema-source.ts";

const HEADER = "<!-- Generated from schemas/ by `npm run gen`. Do not edit. -->\n";

/** Reference pages: one per kind, configuration and output of a command, with a table per definition, and an index. */
export function generateReference(sources: readonly SchemaSource[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const examples = readExamples();
  for (const source of sources)
    files.set(`docs/reference/kinds/${flatName(source)}.md`, page(sources, source, examples[source.title]));
  files.set("docs/reference/kinds/README.md", index(sources));
  return files;
}

function readExamples(): Readonly<Record<string, unknown>> {
  const file = join(import.meta.dirname, "../../schemas/examples.json");
  return JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, unknown>>;
}

function index(sources: readonly SchemaSource[]): string {
  const kinds = kindsOf(sources);
  const kindRows = (gatewayApi: boolean): string =>
    kinds
      .filter(({ header }) => isGatewayApi(header) === gatewayApi)
      .map((kind) => {
        const { group, versions } = kind.header;
        const words = kind.schema.description ?? "";
        return `| [${apiKind(kind)}](${flatName(kind)}.md) | ${group} | ${versions.join(", ")} | ${words} |\n`;
      })
      .join("");
  const others = sources.filter(
    ({ name, schema }) => schema["x-config"] === true || (name.startsWith("output/") && name !== "output/common"),
  );
  const rows = (outputs: boolean): string =>
    others
      .filter(({ name }) => name.startsWith("output/") === outputs)
      .map((source) => `| [${source.title}](${flatName(source)}.md) | ${source.schema.description ?? ""} |\n`)
      .join("");
  const kindTable = "| Kind | Group | Versions | What it is for |\n| --- | --- | --- | --- |\n";
  return [
    `${HEADER}\n# Reference\n\nThe same on the command line: \`meshctl explain KIND[.field]\`.\n`,
    `## Kinds of the mesh\n\n${kindTable}${kindRows(false)}`,
    `## Kinds of Gateway API\n\n${kindTable}${kindRows(true)}`,
    `## Configurations\n\n| Name | What it is for |\n| --- | --- |\n${rows(false)}`,
    `## Output of commands\n\nWhat \`-o json\` and \`-o yaml\` print.\n\n| Output | Command |\n| --- | --- |\n${rows(true)}`,
    "Shapes that several kinds share: [common](common.md), [those of Gateway API](gateway-api-common.md), [those of outputs](output-common.md).\n",
  ].join("\n");
}

function page(sources: readonly SchemaSource[], source: SchemaSource, example: unknown): string {
  const header = source.schema["x-kind"];
  const title = header?.kind ?? source.title;
  const parts = [HEADER, `# ${title}\n`, `${source.schema.description ?? ""}\n`];
  if (header !== undefined) parts.push(kindLine(header));
  if (example !== undefined) parts.push(`\`\`\`yaml\n${stringify(example, { lineWidth: 0 })}\`\`\`\n`);
  parts.push(...rootParts(sources, source));
  for (const [name, schema] of Object.entries(source.schema.$defs ?? {})) {
    parts.push(`## ${definitionName(source, name)}\n`, `${schema.description ?? ""}\n`);
    if (schema.properties !== undefined) parts.push(table(sources, source, schema));
    else parts.push(`Type: ${typeWords(sources, source, schema)}\n`);
  }
  return parts.join("\n");
}

/** The schema itself: spec and status of a kind, fields of a configuration, or a type. */
function rootParts(sources: readonly SchemaSource[], source: SchemaSource): readonly string[] {
  const { properties, type, "x-kind": header, "x-status": status } = source.schema;
  if (properties === undefined)
    return type === undefined ? [] : [`Type: ${typeWords(sources, source, source.schema)}\n`];
  const title = header === undefined ? "## Fields\n" : "## spec\n";
  const below = status === undefined ? [] : ["## status\n", `Type: ${typeWords(sources, source, status)}\n`];
  return [title, table(sources, source, source.schema), ...below];
}

function kindLine(header: KindHeader): string {
  const short =
    header.shortNames.length > 0 ? `; short: ${header.shortNames.map((name) => `\`${name}\``).join(", ")}` : "";
  const versions = header.versions.map((version) => `\`${header.group}/${version}\``).join(", ");
  return `apiVersion ${versions}; kubectl name \`${header.plural}\`${short}.\n`;
}

function table(sources: readonly SchemaSource[], source: SchemaSource, schema: JsonSchema): string {
  if (Object.keys(schema.properties ?? {}).length === 0) return "It has no fields.\n";
  const rows = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const target = property.$ref === undefined ? undefined : resolveRef(sources, source, property.$ref);
    const words = property.description ?? target?.schema.description ?? "";
    const needed = schema.required?.includes(name) === true ? " (needed)" : "";
    const value = (property as { readonly default?: unknown }).default;
    const set = value === undefined ? "" : ` Default \`${JSON.stringify(value)}\`.`;
    const cells = [`\`${name}\`${needed}`, typeWords(sources, source, property), `${words}${set}`];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  });
  return `| Field | Type | What it does |\n| --- | --- | --- |\n${rows.join("")}`;
}

function typeWords(sources: readonly SchemaSource[], source: SchemaSource, schema: JsonSchema): string {
  if (schema.$ref !== undefined) {
    const target = resolveRef(sources, source, schema.$ref);
    const name = definitionName(target.source, target.definition);
    const file = target.source === source ? "" : `${flatName(target.source)}.md`;
    return target.definition === "" ? `[${name}](${file})` : `[${name}](${file}#${name.toLowerCase()})`;
  }
  if (schema["x-kubernetes-int-or-string"] === true) return "integer or string";
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(", ");
  if (schema.type === "array") return `list of ${typeWords(sources, source, schema.items ?? {})}`;
  if (typeof schema.additionalProperties === "object")
    return `map of ${typeWords(sources, source, schema.additionalProperties)}`;
  return schema.type ?? "any";
}
