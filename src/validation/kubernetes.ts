import { pathText } from "../base/field-path.ts";
import { own } from "../base/own.ts";
import { finding } from "../diagnostics/codes.ts";
import type { FieldPath, Finding } from "../diagnostics/finding.ts";
import { kubeSchemasJson } from "../gen/kube-types.ts";
import { type KubeObject, refOf } from "../resources/object.ts";
import { show } from "./schema.ts";

/** A schema of a built-in kind, as far as types are concerned. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly "x-kubernetes-group-version-kind"?: readonly { readonly group: string; readonly kind: string }[];
}

/**
 * Fields of a built-in kind (and metadata of any kind) that have another type than the API server takes (MSH0203). Unknown
 * fields are the API server's own business. Kinds it does not know have only their metadata checked.
 */
export function kubernetesFindings(object: KubeObject): readonly Finding[] {
  const findings: Finding[] = [];
  const report: Walk["report"] = (path, expected, got) => {
    const args = { field: pathText(path), expected, got };
    findings.push(finding("MSH0203", { object: refOf(object), path }, args));
  };
  const { schemas, byKind } = (table ??= readTable());
  const group = object.apiVersion.includes("/") ? (object.apiVersion.split("/")[0] ?? "") : "";
  const schema = byKind.get(`${group}/${object.kind}`);
  if (schema === undefined) visit({ $ref: METADATA }, object.metadata, ["metadata"], { schemas, report });
  else visit(schema, object, [], { schemas, report });
  return findings;
}

interface Walk {
  readonly schemas: Table["schemas"];
  readonly report: (path: FieldPath, expected: string, got: string) => void;
}

const METADATA = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

interface Table {
  readonly schemas: Readonly<Record<string, Schema>>;
  readonly byKind: ReadonlyMap<string, Schema>;
}

/** Parsed when first needed: start-up does not pay for it. */
let table: Table | undefined;

function readTable(): Table {
  const schemas = JSON.parse(kubeSchemasJson) as Table["schemas"];
  const byKind = new Map<string, Schema>();
  for (const schema of Object.values(schemas))
    for (const { group, kind } of schema["x-kubernetes-group-version-kind"] ?? [])
      byKind.set(`${group}/${kind}`, schema);
  return { schemas, byKind };
}

const TYPES: Readonly<Record<string, { readonly words: string; readonly fits: (value: unknown) => boolean }>> = {
  object: { words: "a map", fits: (value) => typeof value === "object" && !Array.isArray(value) },
  array: { words: "a list", fits: Array.isArray },
  string: { words: "text", fits: (value) => typeof value === "string" },
  integer: { words: "a whole number", fits: Number.isInteger },
  number: { words: "a number", fits: (value) => typeof value === "number" },
  boolean: { words: "true or false", fits: (value) => typeof value === "boolean" },
};

function visit(given: Schema, value: unknown, path: FieldPath, walk: Walk): void {
  // the API server takes null as absent
  if (value === null || value === undefined) return;
  const schema = given.$ref === undefined ? given : (walk.schemas[given.$ref] ?? {});
  const type = TYPES[schema.type ?? ""];
  if (type === undefined) return;
  if (!type.fits(value)) walk.report(path, type.words, show(value));
  else if (typeof value === "object") visitMembers(schema, value, path, walk);
}

function visitMembers(schema: Schema, value: object, path: FieldPath, walk: Walk): void {
  for (const [name, member] of Object.entries(value)) {
    const inner = schema.items ?? own(schema.properties ?? {}, name) ?? schema.additionalProperties;
    if (inner !== undefined) visit(inner, member, [...path, Array.isArray(value) ? Number(name) : name], walk);
  }
}
