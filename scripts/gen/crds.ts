import { toYamlWithAliases } from "../../src/resources/yaml-plain.ts";
import {
  apiKind,
  isGatewayApi,
  type JsonSchema,
  type KindHeader,
  kindsOf,
  type OneOf,
  resolveRef,
  type SchemaSource,
  storedVersion,
} from "./schema-source.ts";

const HEADER = "# Generated from schemas/ by `npm run gen`. Do not edit.\n";

/** Words of a source schema that a structural schema keeps as they are. */
const KEPT = [
  "type",
  "description",
  "enum",
  "nullable",
  "default",
  "format",
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
  "x-kubernetes-int-or-string",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-list-type",
  "x-kubernetes-map-type",
  "x-kubernetes-preserve-unknown-fields",
] as const;

/**
 * CRD manifests, one file per kind: structural schemas with references inlined. Unknown fields are pruned by the API
 * server, so `additionalProperties: false` is left out; schemas that several versions and fields share are written once, as a YAML
 * alias, and always as the whole value of a key (`manifest generate` writes them out again as text). Kinds that install must not write go to manifests/gateway-api/.
 */
export function generateCrds(sources: readonly SchemaSource[]): ReadonlyMap<string, string> {
  return new Map(
    kindsOf(sources).map((kind) => {
      const folder = kind.header.install === false ? "gateway-api" : "base/crds";
      const text = toYamlWithAliases(withOwnLists(crd(sources, kind, kind.header)));
      return [`manifests/${folder}/${kind.header.plural}.${kind.header.group}.yaml`, HEADER + text];
    }),
  );
}

/** The same data with lists and their items objects of their own, so that only values of keys become aliases. */
function withOwnLists(value: unknown, known = new Map<unknown, unknown>()): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => (isObject(item) ? ownMembers(item, known) : item));
  if (!isObject(value)) return value;
  const copy = known.get(value) ?? ownMembers(value, known);
  known.set(value, copy);
  return copy;
}

function ownMembers(value: object, known: Map<unknown, unknown>): unknown {
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([key, member]) => [key, withOwnLists(member, known)]));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

type Kind = SchemaSource & { readonly header: KindHeader };

function crd(sources: readonly SchemaSource[], kind: Kind, header: KindHeader): unknown {
  const name = apiKind(kind);
  const schema = {
    type: "object",
    description: kind.schema.description,
    properties: {
      spec: specOf(sources, kind, header),
      status: statusOf(sources, kind),
    },
    ...((header.specNeeded ?? kind.schema.required !== undefined) ? { required: ["spec"] } : {}),
  };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${header.plural}.${header.group}`,
      ...(isGatewayApi(header) ? {} : { labels: { app: "istio-pilot", chart: "istio", release: "istio" } }),
      ...(header.annotations === undefined ? {} : { annotations: header.annotations }),
    },
    spec: {
      group: header.group,
      names: {
        kind: name,
        listKind: `${name}List`,
        plural: header.plural,
        singular: header.singular ?? name.toLowerCase(),
        shortNames: header.shortNames.length > 0 ? header.shortNames : undefined,
        categories: header.categories.length > 0 ? header.categories : undefined,
      },
      scope: header.scope ?? "Namespaced",
      versions: header.versions.map((version) => ({
        name: version,
        served: true,
        storage: version === storedVersion(header),
        subresources: { status: {} },
        additionalPrinterColumns: columns(header),
        schema: { openAPIV3Schema: schema },
      })),
    },
  };
}

function specOf(sources: readonly SchemaSource[], kind: Kind, header: KindHeader): unknown {
  const spec = structural(sources, kind, kind.schema);
  if (header.rules === undefined) return spec;
  return { ...spec, [CEL]: [...((spec[CEL] as readonly unknown[] | undefined) ?? []), ...header.rules] };
}

function columns(header: KindHeader): readonly unknown[] {
  const own = header.columns.map(({ name, type, path, description, priority }) => ({
    name,
    type,
    description,
    jsonPath: path,
    ...(priority === undefined ? {} : { priority }),
  }));
  if (header.ageColumn === false) return own;
  const description = "Time since the object was created";
  return [...own, { name: "Age", type: "date", description, jsonPath: ".metadata.creationTimestamp" }];
}

function statusOf(sources: readonly SchemaSource[], kind: Kind): unknown {
  const schema = kind.schema["x-status"];
  if (schema !== undefined) return structural(sources, kind, schema);
  return {
    type: "object",
    description: "What the control plane says of this object.",
    "x-kubernetes-preserve-unknown-fields": true,
  };
}

function structural(sources: readonly SchemaSource[], from: SchemaSource, schema: JsonSchema): Record<string, unknown> {
  if (schema.$ref !== undefined) return inlined(sources, from, schema, schema.$ref);
  const out = words(schema);
  if (schema.properties !== undefined)
    out["properties"] = Object.fromEntries(
      Object.entries(schema.properties).map(([name, property]) => [name, structural(sources, from, property)]),
    );
  if (schema.items !== undefined) out["items"] = structural(sources, from, schema.items);
  if (typeof schema.additionalProperties === "object")
    out["additionalProperties"] = structural(sources, from, schema.additionalProperties);
  return out;
}

/** What a reference names, with what stands beside the reference laid over it. */
function inlined(
  sources: readonly SchemaSource[],
  from: SchemaSource,
  schema: JsonSchema,
  ref: string,
): Record<string, unknown> {
  const target = resolveRef(sources, from, ref);
  const shared = once(target.schema, () => structural(sources, target.source, target.schema));
  const own = words(schema);
  if (Object.keys(own).length === 0) return shared;
  const rules = [
    ...((shared[CEL] as readonly unknown[] | undefined) ?? []),
    ...((own[CEL] as readonly unknown[]) ?? []),
  ];
  return { ...shared, ...own, ...(rules.length > 0 ? { [CEL]: rules } : {}) };
}

const CEL = "x-kubernetes-validations";

/** The words of one schema object that reach the CRD, with its groups of exclusive fields in their form there. */
function words(schema: JsonSchema): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const word of KEPT) if (schema[word] !== undefined) out[word] = schema[word];
  const groups = schema["x-one-of"] ?? [];
  const forms = groups.filter(({ as }) => as === undefined || as === "oneOf").map(oneOf);
  if (forms.length === 1) Object.assign(out, forms[0]);
  if (forms.length > 1) out["allOf"] = forms;
  const rules = [...groups.filter(({ as }) => as === "cel").map(celOf), ...(schema[CEL] ?? [])];
  if (rules.length > 0) out[CEL] = rules;
  if (schema["x-kubernetes-int-or-string"] === true) out["anyOf"] = [{ type: "integer" }, { type: "string" }];
  return out;
}

/** One branch per field, and one for none of them unless one is needed. */
function oneOf(group: OneOf): Record<string, unknown> {
  const branches = group.fields.map((field) => ({ required: [field] }));
  return { oneOf: group.required === true ? branches : [{ not: { anyOf: branches } }, ...branches] };
}

/** The rule of a group in CEL: how many of the fields are set. */
export function celOf({ fields, required }: OneOf): { readonly rule: string; readonly message: string } {
  const count = fields.map((field) => `(has(self.${field}) ? 1 : 0)`).join(" + ");
  return required === true
    ? { rule: `${count} == 1`, message: `exactly one of ${listed(fields)} must be set` }
    : { rule: `${count} <= 1`, message: `at most one of ${listed(fields)} may be set` };
}

function listed(fields: readonly string[]): string {
  return `${fields.slice(0, -1).join(", ")} and ${fields.at(-1) ?? ""}`;
}

/** One object per definition: equal objects become YAML aliases. */
const made = new WeakMap<JsonSchema, Record<string, unknown>>();

function once(schema: JsonSchema, make: () => Record<string, unknown>): Record<string, unknown> {
  const known = made.get(schema) ?? make();
  made.set(schema, known);
  return known;
}
