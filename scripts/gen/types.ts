import { type JsonSchema, kindsOf, resolveRef, type SchemaSource } from "./schema-source.ts";

const HEADER = "// Generated from schemas/ by `npm run gen`. Do not edit.\n";

/**
 * TypeScript types of all schemas: `VirtualServiceSpec` for the schema itself, `VirtualServiceHttpRoute` for its
 * definition HttpRoute; definitions of common.schema.json keep their own name. Everything is readonly.
 */
export function generateTypes(sources: readonly SchemaSource[]): string {
  const parts: string[] = [HEADER];
  for (const source of sources) {
    for (const [definition, schema] of Object.entries(source.schema.$defs ?? {}))
      parts.push(declare(sources, source, definitionName(source, definition), schema));
    if (source.schema.type !== undefined) parts.push(declare(sources, source, `${source.title}Spec`, source.schema));
  }
  const kinds = kindsOf(sources);
  parts.push(
    "/** Spec type by kind. */\nexport interface SpecTypes {\n",
    ...kinds.map((kind) => `  ${kind.title}: ${kind.title}Spec;\n`),
    "}\n",
  );
  return parts.join("\n").replaceAll(/\n{3,}/g, "\n\n");
}

/** Kind headers as a table: what the API server and readers need to know of each kind. */
export function generateKindTable(sources: readonly SchemaSource[]): string {
  const lines = kindsOf(sources).map(({ title, header }) => {
    const { group, plural, shortNames, categories, versions } = header;
    return `  ${title}: ${JSON.stringify({ group, plural, shortNames, categories, versions })},\n`;
  });
  return `${HEADER}
/** How a kind of the mesh is known at the API server. The first version is the stored one. */
export interface MeshKind {
  readonly group: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly versions: readonly string[];
}

/** The mesh's own kinds by name. */
export const meshKinds = {
${lines.join("")}} as const satisfies Readonly<Record<string, MeshKind>>;

export type MeshKindName = keyof typeof meshKinds;
`;
}

/** The name of a definition as a type: its own in common.schema.json, else with the kind in front. */
export function definitionName(source: SchemaSource, definition: string): string {
  return source.name === "common" ? definition : `${source.title}${definition}`;
}

function declare(sources: readonly SchemaSource[], source: SchemaSource, name: string, schema: JsonSchema): string {
  const comment = `/** ${schema.description ?? name} */\n`;
  if (schema.type === "object" && schema.properties !== undefined)
    return `${comment}export interface ${name} ${objectType(sources, source, schema, "")}\n`;
  return `${comment}export type ${name} = ${typeOf(sources, source, schema, "")};\n`;
}

function objectType(
  sources: readonly SchemaSource[],
  source: SchemaSource,
  schema: JsonSchema,
  indent: string,
): string {
  const inner = `${indent}  `;
  const lines = Object.entries(schema.properties ?? {}).map(([key, property]) => {
    const optional = schema.required?.includes(key) === true ? "" : "?";
    const deprecated = property.deprecated === true ? " @deprecated" : "";
    const words = property.description ?? refDescription(sources, source, property);
    return `${inner}/** ${words}${deprecated} */\n${inner}readonly ${key}${optional}: ${typeOf(sources, source, property, inner)};`;
  });
  if (schema.additionalProperties === true) lines.push(`${inner}readonly [key: string]: unknown;`);
  return `{\n${lines.join("\n")}\n${indent}}`;
}

function refDescription(sources: readonly SchemaSource[], source: SchemaSource, property: JsonSchema): string {
  if (property.$ref === undefined) throw new Error(`${source.file}: a property has no description`);
  return resolveRef(sources, source, property.$ref).schema.description ?? "";
}

function typeOf(sources: readonly SchemaSource[], source: SchemaSource, schema: JsonSchema, indent: string): string {
  const base = plainType(sources, source, schema, indent);
  return schema.nullable === true ? `${base} | null` : base;
}

function plainType(sources: readonly SchemaSource[], source: SchemaSource, schema: JsonSchema, indent: string): string {
  if (schema.$ref !== undefined) {
    const target = resolveRef(sources, source, schema.$ref);
    return definitionName(target.source, target.definition);
  }
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  switch (schema.type) {
    case "array":
      return `readonly ${parenthesised(typeOf(sources, source, schema.items ?? {}, indent))}[]`;
    case "object":
      return mapOrObject(sources, source, schema, indent);
    case "integer":
    case "number":
      return "number";
    case "string":
    case "boolean":
      return schema.type;
    case undefined:
    default:
      return "unknown";
  }
}

function mapOrObject(
  sources: readonly SchemaSource[],
  source: SchemaSource,
  schema: JsonSchema,
  indent: string,
): string {
  if (schema.properties !== undefined) return objectType(sources, source, schema, indent);
  const values = schema.additionalProperties;
  const value = typeof values === "object" ? typeOf(sources, source, values, indent) : "unknown";
  return `Readonly<Record<string, ${value}>>`;
}

function parenthesised(type: string): string {
  return type.includes("|") ? `(${type})` : type;
}
