import { definitionName, flatName } from "./names.ts";
import { apiKind, type JsonSchema, kindsOf, resolveRef, type SchemaSource, validatedOf } from "./schema-source.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * Schemas for editors (yaml-language-server and others that read draft-07): one per kind for whole objects, one per configuration, and
 * all.json, which picks by apiVersion and kind.
 */
export function generateEditor(sources: readonly SchemaSource[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const put = (name: string, schema: Json): unknown =>
    files.set(`schemas/editor/${name}.json`, `${JSON.stringify({ $schema: DRAFT, ...schema }, undefined, 2)}\n`);
  const kinds = kindsOf(sources);
  const choices: Json[] = [];
  for (const kind of kinds) {
    const { group, versions } = kind.header;
    const names = { kind: apiKind(kind), apiVersions: versions.map((version) => `${group}/${version}`) };
    put(flatName(kind), objectSchema(sources, kind, names));
    choices.push(choice(names, flatName(kind)));
  }
  for (const source of validatedOf(sources)) {
    if (source.schema["x-kind"] !== undefined || source.schema["x-lazy"] === true) continue;
    const names = OBJECTS[source.title];
    put(flatName(source), names === undefined ? configSchema(sources, source) : objectSchema(sources, source, names));
    if (names !== undefined) choices.push(choice(names, flatName(source)));
  }
  put("all", {
    title: "Objects of the mesh",
    description: "Any object; those of the mesh are checked.",
    allOf: choices,
  });
  return files;
}

const DRAFT = "http://json-schema.org/draft-07/schema#";

interface Names {
  readonly kind: string;
  readonly apiVersions: readonly string[];
}

/** Configurations that are written as objects, although no API server has them. */
const OBJECTS: Readonly<Record<string, Names>> = {
  IstioOperator: { kind: "IstioOperator", apiVersions: ["install.istio.io/v1alpha1"] },
};

function choice({ kind, apiVersions }: Names, file: string): Json {
  return {
    if: { required: ["apiVersion", "kind"], properties: { apiVersion: { enum: apiVersions }, kind: { const: kind } } },
    // oxlint-disable-next-line unicorn/no-thenable -- the word of JSON Schema
    then: { $ref: `${file}.json` },
  };
}

function objectSchema(sources: readonly SchemaSource[], source: SchemaSource, { kind, apiVersions }: Names): Json {
  const found = createDefinitions(sources);
  const spec = found.schema(source, { ...source.schema, $defs: {} });
  const status = source.schema["x-status"];
  const required = ["apiVersion", "kind", "metadata", ...(source.schema.required === undefined ? [] : ["spec"])];
  return {
    title: source.title,
    description: source.schema.description,
    type: "object",
    required,
    additionalProperties: false,
    properties: {
      apiVersion: { enum: apiVersions, description: "Group and version." },
      kind: { const: kind, description: "Kind of the object." },
      metadata: METADATA,
      spec,
      status:
        status === undefined
          ? { type: "object", description: "What is said of the object." }
          : found.schema(source, status),
    },
    definitions: found.definitions(),
  };
}

const METADATA: Json = {
  type: "object",
  description: "Name, namespace, labels and annotations.",
  properties: {
    name: { type: "string", description: "Name of the object." },
    generateName: { type: "string", description: "Start of a name that the API server completes." },
    namespace: { type: "string", description: "Namespace of the object." },
    labels: { type: "object", additionalProperties: { type: "string" }, description: "Labels." },
    annotations: { type: "object", additionalProperties: { type: "string" }, description: "Annotations." },
  },
};

function configSchema(sources: readonly SchemaSource[], source: SchemaSource): Json {
  const found = createDefinitions(sources);
  const schema = found.schema(source, { ...source.schema, $defs: {} });
  return { title: source.title, ...schema, definitions: found.definitions() };
}

interface Definitions {
  /** A schema with its references pointing into `definitions`. */
  readonly schema: (source: SchemaSource, schema: JsonSchema) => Json;
  readonly definitions: () => Json;
}

function createDefinitions(sources: readonly SchemaSource[]): Definitions {
  const definitions: Record<string, Json> = {};

  function refer(source: SchemaSource, ref: string): string {
    const target = resolveRef(sources, source, ref);
    const name = definitionName(target.source, target.definition) || target.source.title;
    if (definitions[name] === undefined) {
      definitions[name] = {};
      definitions[name] = convert(target.source, { ...target.schema, $defs: {} });
    }
    return `#/definitions/${name}`;
  }

  function convert(source: SchemaSource, schema: JsonSchema): Json {
    const words = plain(schema);
    // beside a reference draft-07 readers take nothing
    if (schema.$ref !== undefined) return { ...words, allOf: [{ $ref: refer(source, schema.$ref) }] };
    const groups = (schema["x-one-of"] ?? []).flatMap(({ fields, required }) => exclusive(fields, required === true));
    return {
      ...words,
      ...(schema.properties === undefined
        ? {}
        : {
            properties: Object.fromEntries(
              Object.entries(schema.properties).map(([name, property]) => [name, convert(source, property)]),
            ),
          }),
      ...(schema.items === undefined ? {} : { items: convert(source, schema.items) }),
      ...(typeof schema.additionalProperties === "object"
        ? { additionalProperties: convert(source, schema.additionalProperties) }
        : {}),
      ...(groups.length === 0 ? {} : { allOf: groups }),
    };
  }

  return { schema: convert, definitions: () => definitions };
}

const KEPT = [
  "description",
  "enum",
  "default",
  "pattern",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
  "required",
] as const;

/** What stands in a schema beside its parts, in draft-07. */
function plain(schema: JsonSchema): Json {
  const words: Record<string, unknown> = {};
  for (const word of KEPT) {
    const value = (schema as Json)[word];
    if (value !== undefined) words[word] = value;
  }
  if (schema["x-kubernetes-int-or-string"] === true) words["type"] = ["integer", "string"];
  else if (schema.type !== undefined) words["type"] = schema.nullable === true ? [schema.type, "null"] : schema.type;
  if (typeof schema.additionalProperties === "boolean") words["additionalProperties"] = schema.additionalProperties;
  if (schema["x-expected"] !== undefined && schema.pattern !== undefined)
    words["patternErrorMessage"] = `expected ${schema["x-expected"]}`;
  if (schema.deprecated === true) words["deprecationMessage"] = schema.description ?? "Deprecated.";
  return words;
}

function exclusive(fields: readonly string[], required: boolean): readonly Json[] {
  const both = fields.flatMap((field, index) =>
    fields.slice(index + 1).map((other) => ({ not: { required: [field, other] } })),
  );
  return required ? [{ anyOf: fields.map((field) => ({ required: [field] })) }, ...both] : both;
}
