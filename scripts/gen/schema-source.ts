import { readdirSync, readFileSync } from "node:fs";
import { join, posix, sep } from "node:path";

/**
 * The sources in schemas/ and what they may say.
 *
 * - `schemas/*.schema.json`: Istio's kinds and configurations; `schemas/gateway-api/*.schema.json`: kinds of Gateway API. `$id` is
 *   the path below schemas/; a `$ref` is relative to its file and names a definition (`#/$defs/X`, `common.schema.json#/$defs/X`) or
 *   a whole schema (`workload-entry.schema.json`).
 * - The root of a kind is its `spec`. `title` is our name for it (KubernetesGateway); `x-kind.kind` the API's, when another.
 * - Words that CRDs keep as they are: see KEPT in crds.ts. `default` is for CRDs and pages: no validator writes it.
 * - `x-one-of` names fields of which one may be set: it makes the validator's rule, the CRD's form and the words of the error. Bare
 *   oneOf, anyOf and not are refused, since nobody can read their errors.
 * - `x-status` is the schema of `status`; `x-config` marks a configuration that is no kind; `x-lazy` keeps its validator out of the index.
 */

/** A JSON Schema as far as the sources in schemas/ use it; `x-` words are ours. */
export interface JsonSchema {
  readonly $id?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly title?: string;
  readonly description?: string;
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly format?: string;
  readonly nullable?: boolean;
  readonly deprecated?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly pattern?: string;
  readonly "x-kubernetes-validations"?: readonly CelRule[];
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: "atomic" | "granular";
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-one-of"?: readonly OneOf[];
  readonly "x-kind"?: KindHeader;
  /** Schema of the status of a kind. */
  readonly "x-status"?: JsonSchema;
  /** A configuration that is no kind of the API, with a validator all the same. */
  readonly "x-config"?: boolean;
  /** Its validator is a file of its own that the index does not import. */
  readonly "x-lazy"?: boolean;
  /** What a message says was expected where a pattern or a count fails. */
  readonly "x-expected"?: string;
}

/** A rule in CEL that the API server evaluates. */
export interface CelRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
}

/** Fields of one object that exclude each other. */
export interface OneOf {
  readonly fields: readonly string[];
  /** One of them has to be there. */
  readonly required?: boolean;
  /** Form in the CRD; `none` where the CRD has a rule of its own in x-kubernetes-validations. Default `oneOf`. */
  readonly as?: "oneOf" | "cel" | "none";
}

/** What a schema says of its kind at the API server. The first version is the preferred one. */
export interface KindHeader {
  /** Name of the kind at the API server. Default: the schema's title. */
  readonly kind?: string;
  readonly group: string;
  readonly plural: string;
  /** Default: the kind in lower case. */
  readonly singular?: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly versions: readonly string[];
  /** The version that is stored. Default: the first. */
  readonly stored?: string;
  /** Default Namespaced. */
  readonly scope?: "Namespaced" | "Cluster";
  /** False: the CRD is for the embedded cluster alone, install never writes it. Default true. */
  readonly install?: boolean;
  /** Annotations of the CRD. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly path: string;
    readonly description: string;
    readonly priority?: number;
  }[];
  /** Rules on the spec of this kind alone, not where other schemas refer to it. */
  readonly rules?: readonly CelRule[];
  /** Whether `spec` itself is needed. Default: when one of its fields is. */
  readonly specNeeded?: boolean;
  /** Whether a column with the age follows. Default true. */
  readonly ageColumn?: boolean;
}

/** One file of schemas/. `name` is the file's, e.g. `virtual-service`; `title` names its types. */
export interface SchemaSource {
  readonly file: string;
  readonly name: string;
  readonly title: string;
  readonly schema: JsonSchema;
}

/** All schema files, sorted by name; folders have their own `common`. */
export function readSchemas(root: string): readonly SchemaSource[] {
  const folder = join(root, "schemas");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => file.split(sep).join("/"))
    .filter((file) => file.endsWith(".schema.json"));
  return files.sort().map((file) => {
    const schema = JSON.parse(readFileSync(join(folder, file), "utf8")) as JsonSchema;
    if (schema.$id !== file || schema.title === undefined)
      throw new Error(`${file}: $id must be the path below schemas/, title is needed`);
    return { file, name: file.replace(/\.schema\.json$/, ""), title: schema.title, schema };
  });
}

/** The schemas that are kinds of the API, with their header. */
export function kindsOf(sources: readonly SchemaSource[]): readonly (SchemaSource & { readonly header: KindHeader })[] {
  return sources.flatMap((source) => {
    const header = source.schema["x-kind"];
    return header === undefined ? [] : [{ ...source, header }];
  });
}

/** Finds what a `$ref` in `from` names: a definition of the same file or another one, or a whole schema (definition ""). */
export function resolveRef(sources: readonly SchemaSource[], from: SchemaSource, ref: string): ResolvedRef {
  const [file = "", pointer = ""] = ref.split("#");
  const path = posix.join(posix.dirname(from.file), file);
  const source = file === "" ? from : sources.find((candidate) => candidate.file === path);
  const definition = pointer.replace("/$defs/", "");
  const schema = definition === "" ? source?.schema : source?.schema.$defs?.[definition];
  if (source === undefined || schema === undefined) throw new Error(`${from.file}: nothing at ${ref}`);
  return { source, definition, schema };
}

export interface ResolvedRef {
  readonly source: SchemaSource;
  /** "" for the whole schema. */
  readonly definition: string;
  readonly schema: JsonSchema;
}

/** The schemas that get a validator: kinds, and configurations that are none. */
export function validatedOf(sources: readonly SchemaSource[]): readonly SchemaSource[] {
  return sources.filter(({ schema }) => schema["x-kind"] !== undefined || schema["x-config"] === true);
}

/** Whether a kind is one of Gateway API. */
export function isGatewayApi(header: KindHeader): boolean {
  return header.group === "gateway.networking.k8s.io";
}

/** The kind's name at the API server. */
export function apiKind(kind: SchemaSource & { readonly header: KindHeader }): string {
  return kind.header.kind ?? kind.title;
}

/** The version that is stored. */
export function storedVersion(header: KindHeader): string {
  return header.stored ?? header.versions[0] ?? "v1";
}
