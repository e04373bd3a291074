import { propertyKey, typeName } from "./names.ts";
import {
  apiKind,
  isGatewayApi,
  type JsonSchema,
  kindsOf,
  resolveRef,
  type SchemaSource,
  storedVersion,
} from "./schema-source.ts";

const HEADER = "// Generated from schemas/ by `npm run gen`. Do not edit.\n";

/**
 * TypeScript types of all schemas: `VirtualServiceSpec` for the schema itself, `VirtualServiceHttpRoute` for its
 * definition HttpRoute; definitions of common.schema.json keep their own name. Everything is readonly.
 */
export function generateTypes(sources: readonly SchemaSource[]): string {
  const parts: string[] = [HEADER];
  for (const source of sources) {
    for (const [definition, schema] of Object.entries(source.schema.$defs ?? {}))
      parts.push(declare(sources, source, typeName(source, definition), schema));
    if (source.schema.type !== undefined) parts.push(declare(sources, source, typeName(source, ""), source.schema));
    const status = source.schema["x-status"];
    if (status?.type !== undefined) parts.push(declare(sources, source, `${source.title}Status`, status));
  }
  const kinds = kindsOf(sources);
  parts.push(
    "/** Spec type by kind. */\nexport interface SpecTypes {\n",
    ...kinds.map((kind) => `  ${kind.title}: ${kind.title}Spec;\n`),
    "}\n",
    "/** Status type by kind. */\nexport interface StatusTypes {\n",
    ...kinds.map((kind) => `  ${kind.title}: ${statusType(sources, kind)};\n`),
    "}\n",
  );
  return parts.join("\n").replaceAll(/\n{3,}/g, "\n\n");
}

function statusType(sources: readonly SchemaSource[], kind: SchemaSource): string {
  const status = kind.schema["x-status"];
  if (status === undefined) return "unknown";
  return status.$ref === undefined ? `${kind.title}Status` : typeOf(sources, kind, status, "");
}

/** Kind headers as tables: what the API server and readers need to know of each kind. */
export function generateKindTable(sources: readonly SchemaSource[]): string {
  const kinds = kindsOf(sources);
  const lines = (gatewayApi: boolean): string =>
    kinds
      .filter(({ header }) => isGatewayApi(header) === gatewayApi)
      .map((kind) => {
        const { group, plural, shortNames, categories, versions } = kind.header;
        const names = { kind: apiKind(kind), group, plural, shortNames, categories, versions };
        const record = { ...names, stored: storedVersion(kind.header), namespaced: kind.header.scope !== "Cluster" };
        return `  ${kind.title}: ${JSON.stringify(record)},\n`;
      })
      .join("");
  return `${HEADER}
/** How a kind with a schema of ours is known at the API server. */
export interface MeshKind {
  /** The \`kind\` of its objects; differs from our name where two groups share one. */
  readonly kind: string;
  readonly group: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** Served versions, the preferred one first. */
  readonly versions: readonly string[];
  /** The version that the API server stores. */
  readonly stored: string;
  readonly namespaced: boolean;
}

/** The mesh's own kinds by name. */
export const meshKinds = {
${lines(false)}} as const satisfies Readonly<Record<string, MeshKind>>;

export type MeshKindName = keyof typeof meshKinds;

/** The kinds of Gateway API by our name. */
export const gatewayApiKinds = {
${lines(true)}} as const satisfies Readonly<Record<string, MeshKind>>;

export type GatewayApiKindName = keyof typeof gatewayApiKinds;
`;
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
    return `${inner}/** ${words}${deprecated} */\n${inner}readonly ${propertyKey(key)}${optional}: ${typeOf(sources, source, property, inner)};`;
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
    return typeName(target.source, target.definition);
  }
  if (schema["x-kubernetes-int-or-string"] === true) return "number | string";
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
