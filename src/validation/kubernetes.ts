import { pathText } from "../base/field-path.ts";
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
  const { nodeOfKind, metadata } = (table ??= readTable());
  const slash = object.apiVersion.indexOf("/");
  const node = nodeOfKind(slash < 0 ? "" : object.apiVersion.slice(0, slash), object.kind);
  const walk: Walk = { object, path: [], findings: undefined };
  if (node === undefined) {
    walk.path.push("metadata");
    visit(metadata, object.metadata, walk);
  } else visit(node, object, walk);
  return walk.findings ?? NONE;
}

const NONE: readonly Finding[] = [];

const METADATA = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

interface Type {
  readonly words: string;
  /** What typeof says of every value that fits, and of no other. */
  readonly plain?: "string" | "number" | "boolean";
  readonly fits: (value: unknown) => boolean;
}

/** A schema made ready to be asked: references followed, fields in a map. Made when first needed. */
interface Node {
  readonly type: Type | undefined;
  readonly items: Node | undefined;
  readonly rest: Node | undefined;
  readonly fields: ReadonlyMap<string, () => Node>;
}

interface Table {
  readonly nodeOfKind: (group: string, kind: string) => Node | undefined;
  readonly metadata: Node;
}

/** Parsed when first needed: start-up does not pay for it. */
let table: Table | undefined;

function readTable(): Table {
  const schemas = JSON.parse(kubeSchemasJson) as Readonly<Record<string, Schema>>;
  const made = new Map<Schema, Node>();
  const nodeOf = (given: Schema): Node => {
    const schema = given.$ref === undefined ? given : (schemas[given.$ref] ?? {});
    const known = made.get(schema);
    if (known !== undefined) return known;
    const { type = "", items, additionalProperties: rest, properties = {} } = schema;
    const node = {
      type: TYPES[type],
      // lists and maps of a type are never inside themselves without a field between
      items: items === undefined ? undefined : nodeOf(items),
      rest: rest === undefined ? undefined : nodeOf(rest),
      fields: new Map(Object.entries(properties).map(([name, field]) => [name, () => nodeOf(field)])),
    };
    made.set(schema, node);
    return node;
  };
  const byKind = new Map<string, Map<string, Schema>>();
  for (const schema of Object.values(schemas))
    for (const { group, kind } of schema["x-kubernetes-group-version-kind"] ?? [])
      byKind.set(group, (byKind.get(group) ?? new Map<string, Schema>()).set(kind, schema));
  return {
    metadata: nodeOf({ $ref: METADATA }),
    nodeOfKind: (group, kind) => {
      const schema = byKind.get(group)?.get(kind);
      return schema === undefined ? undefined : nodeOf(schema);
    },
  };
}

const TYPES: Readonly<Record<string, Type>> = {
  object: { words: "a map", fits: (value) => typeof value === "object" && !Array.isArray(value) },
  array: { words: "a list", fits: Array.isArray },
  string: { words: "text", plain: "string", fits: (value) => typeof value === "string" },
  integer: { words: "a whole number", fits: Number.isInteger },
  number: { words: "a number", plain: "number", fits: (value) => typeof value === "number" },
  boolean: { words: "true or false", plain: "boolean", fits: (value) => typeof value === "boolean" },
};

/** Where a walk is. The path is one list that grows and shrinks: only a finding copies it. */
interface Walk {
  readonly object: KubeObject;
  readonly path: (string | number)[];
  findings: Finding[] | undefined;
}

function visit(node: Node, value: unknown, walk: Walk): void {
  // the API server takes null as absent
  if (value === null || value === undefined || node.type === undefined) return;
  if (!node.type.fits(value)) {
    const path: FieldPath = [...walk.path];
    const args = { field: pathText(path), expected: node.type.words, got: show(value) };
    (walk.findings ??= []).push(finding("MSH0203", { object: refOf(walk.object), path }, args));
  } else if (typeof value === "object") visitMembers(node, value, walk);
}

function visitMembers(node: Node, value: object, walk: Walk): void {
  if (Array.isArray(value)) {
    if (node.items === undefined) return;
    for (let index = 0; index < value.length; index++) step(node.items, index, value[index], walk);
    return;
  }
  const record = value as Readonly<Record<string, unknown>>;
  for (const name in record) {
    const inner = node.fields.get(name)?.() ?? node.rest;
    const member = record[name];
    // most fields are plain and right
    if (inner?.type !== undefined && typeof member !== inner.type.plain) step(inner, name, member, walk);
  }
}

function step(node: Node, name: string | number, value: unknown, walk: Walk): void {
  walk.path.push(name);
  visit(node, value, walk);
  walk.path.pop();
}
