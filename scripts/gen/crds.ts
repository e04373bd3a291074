import { stringify } from "yaml";
import { type JsonSchema, type KindHeader, kindsOf, resolveRef, type SchemaSource } from "./schema-source.ts";

const HEADER = "# Generated from schemas/ by `npm run gen`. Do not edit.\n";

/** Words of a source schema that a structural schema keeps as they are. */
const KEPT = [
  "type",
  "description",
  "enum",
  "nullable",
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

/**
 * CRD manifests, one file per kind: structural schemas with references inlined. Unknown fields are pruned by the API
 * server, so `additionalProperties: false` is left out; what several versions and fields share is written once, as a YAML
 * alias; defaults are left out too, since server-side defaulting would
 * write into users' objects what they did not say.
 */
export function generateCrds(sources: readonly SchemaSource[]): ReadonlyMap<string, string> {
  return new Map(
    kindsOf(sources).map((kind) => {
      const text = stringify(crd(sources, kind, kind.header), { lineWidth: 0 });
      return [`manifests/base/crds/${kind.header.plural}.${kind.header.group}.yaml`, HEADER + text];
    }),
  );
}

function crd(sources: readonly SchemaSource[], kind: SchemaSource, header: KindHeader): unknown {
  const schema = {
    type: "object",
    description: kind.schema.description,
    properties: {
      spec: structural(sources, kind, kind.schema),
      status: {
        type: "object",
        description: "What the control plane says of this object.",
        "x-kubernetes-preserve-unknown-fields": true,
      },
    },
    ...(kind.schema.required === undefined ? {} : { required: ["spec"] }),
  };
  const columns = [
    ...header.columns.map(({ name, type, path, description }) => ({ name, type, description, jsonPath: path })),
    {
      name: "Age",
      type: "date",
      description: "Time since the object was created",
      jsonPath: ".metadata.creationTimestamp",
    },
  ];
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${header.plural}.${header.group}`,
      labels: { app: "istio-pilot", chart: "istio", release: "istio" },
    },
    spec: {
      group: header.group,
      names: {
        kind: kind.title,
        listKind: `${kind.title}List`,
        plural: header.plural,
        singular: kind.title.toLowerCase(),
        shortNames: header.shortNames.length > 0 ? header.shortNames : undefined,
        categories: header.categories,
      },
      scope: "Namespaced",
      versions: header.versions.map((name, index) => ({
        name,
        served: true,
        storage: index === 0,
        subresources: { status: {} },
        additionalPrinterColumns: columns,
        schema: { openAPIV3Schema: schema },
      })),
    },
  };
}

function structural(sources: readonly SchemaSource[], from: SchemaSource, schema: JsonSchema): Record<string, unknown> {
  if (schema.$ref !== undefined) {
    const target = resolveRef(sources, from, schema.$ref);
    const inlined = once(target.schema, () => structural(sources, target.source, target.schema));
    return schema.description === undefined ? inlined : { ...inlined, description: schema.description };
  }
  const out: Record<string, unknown> = {};
  for (const word of KEPT) {
    const value = (schema as Readonly<Record<string, unknown>>)[word];
    if (value !== undefined) out[word] = value;
  }
  if (schema.properties !== undefined)
    out["properties"] = Object.fromEntries(
      Object.entries(schema.properties).map(([name, property]) => [name, structural(sources, from, property)]),
    );
  if (schema.items !== undefined) out["items"] = structural(sources, from, schema.items);
  if (typeof schema.additionalProperties === "object")
    out["additionalProperties"] = structural(sources, from, schema.additionalProperties);
  return out;
}

/** One object per definition: equal objects become YAML aliases. */
const made = new WeakMap<JsonSchema, Record<string, unknown>>();

function once(schema: JsonSchema, make: () => Record<string, unknown>): Record<string, unknown> {
  const known = made.get(schema) ?? make();
  made.set(schema, known);
  return known;
}
