import { definitionName, flatName } from "./names.ts";
import { type JsonSchema, type KindHeader, kindsOf, resolveRef, type SchemaSource } from "./schema-source.ts";

const HEADER = "<!-- Generated from schemas/ by `npm run gen`. Do not edit. -->\n";

/** Reference pages: one per kind with a table per definition, one for the shapes that kinds share, and an index. */
export function generateReference(sources: readonly SchemaSource[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const kinds = kindsOf(sources);
  for (const source of sources) files.set(`docs/reference/kinds/${flatName(source)}.md`, page(sources, source));
  const rows = kinds.map(
    (kind) =>
      `| [${kind.title}](${flatName(kind)}.md) | ${kind.header.group} | ${kind.header.versions.join(", ")} | ${kind.schema.description ?? ""} |\n`,
  );
  files.set(
    "docs/reference/kinds/README.md",
    `${HEADER}\n# Kinds\n\n| Kind | Group | Versions | What it is for |\n| --- | --- | --- | --- |\n${rows.join("")}\nShapes that several kinds share: [common](common.md).\n`,
  );
  return files;
}

function page(sources: readonly SchemaSource[], source: SchemaSource): string {
  const header = source.schema["x-kind"];
  const parts = [HEADER, `# ${source.title}\n`, `${source.schema.description ?? ""}\n`];
  if (header !== undefined) parts.push(kindLine(header));
  if (source.schema.properties !== undefined) parts.push("## spec\n", table(sources, source, source.schema));
  for (const [name, schema] of Object.entries(source.schema.$defs ?? {})) {
    parts.push(`## ${definitionName(source, name)}\n`, `${schema.description ?? ""}\n`);
    if (schema.properties !== undefined) parts.push(table(sources, source, schema));
    else parts.push(`Type: ${typeWords(sources, source, schema)}\n`);
  }
  return parts.join("\n");
}

function kindLine(header: KindHeader): string {
  const short =
    header.shortNames.length > 0 ? `; short: ${header.shortNames.map((name) => `\`${name}\``).join(", ")}` : "";
  const versions = header.versions.map((version) => `\`${header.group}/${version}\``).join(", ");
  return `apiVersion ${versions}; kubectl name \`${header.plural}\`${short}.\n`;
}

function table(sources: readonly SchemaSource[], source: SchemaSource, schema: JsonSchema): string {
  const rows = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const words = property.description ?? (property.$ref === undefined ? "" : describe(sources, source, property.$ref));
    const needed = schema.required?.includes(name) === true ? " (needed)" : "";
    return `| \`${name}\`${needed} | ${typeWords(sources, source, property)} | ${words.replaceAll("|", "\\|")} |\n`;
  });
  return `| Field | Type | What it does |\n| --- | --- | --- |\n${rows.join("")}`;
}

function describe(sources: readonly SchemaSource[], source: SchemaSource, ref: string): string {
  return resolveRef(sources, source, ref).schema.description ?? "";
}

function typeWords(sources: readonly SchemaSource[], source: SchemaSource, schema: JsonSchema): string {
  if (schema.$ref !== undefined) {
    const target = resolveRef(sources, source, schema.$ref);
    const name = definitionName(target.source, target.definition);
    const file = target.source === source ? "" : `${flatName(target.source)}.md`;
    return target.definition === "" ? `[${name}](${file})` : `[${name}](${file}#${name.toLowerCase()})`;
  }
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(", ");
  if (schema.type === "array") return `list of ${typeWords(sources, source, schema.items ?? {})}`;
  if (typeof schema.additionalProperties === "object")
    return `map of ${typeWords(sources, source, schema.additionalProperties)}`;
  return schema.type ?? "any";
}
