import { own } from "../base/own.ts";
import { finding } from "../diagnostics/codes.ts";
import type { FieldPath, Finding } from "../diagnostics/finding.ts";
import type { MeshKindName } from "../gen/mesh-kinds.ts";
import { deprecatedFields, shapes } from "../gen/validators/shapes.ts";
import { type KubeObject, refOf } from "../resources/object.ts";

/** Deprecated fields that are in use, by what the schema says of them (IST0002). */
export function deprecations(kind: MeshKindName, object: KubeObject): readonly Finding[] {
  const node = nodeOf(kind);
  if (node === undefined) return NONE;
  const findings: Finding[] = [];
  const found = (at: FieldPath, field: string, words: string): void => {
    const place = { object: refOf(object), path: [...at, field] };
    findings.push(finding("IST0002", place, { kind, field, instead: hintOf(words) }));
  };
  visit(node, object.spec, { path: ["spec"], found });
  return findings;
}

const NONE: readonly Finding[] = [];

/** Where deprecated fields are in a type: there, or inside a field, list or map. Types without any have no node. */
interface Node {
  /** Field and what the schema says of it. */
  readonly old: readonly (readonly [string, string])[];
  readonly inner: readonly { readonly field: string; readonly node: Node }[];
  /** Of the items of a list or the values of a map. */
  readonly members: Node | undefined;
}

const nodes = new Map<string, Node | undefined>();

function nodeOf(type: string): Node | undefined {
  if (nodes.has(type)) return nodes.get(type);
  // a type inside itself: what is deeper is not looked at
  nodes.set(type, undefined);
  const isMany = type.startsWith("[]") || type.startsWith("{}");
  const members = isMany ? nodeOf(type.slice(2)) : undefined;
  const old = Object.entries(own(deprecatedFields, type) ?? {});
  const inner = Object.entries(own(shapes, type) ?? {}).flatMap(([field, inside]): Node["inner"] => {
    const node = nodeOf(inside);
    return node === undefined ? [] : [{ field, node }];
  });
  const node = old.length + inner.length === 0 && members === undefined ? undefined : { old, inner, members };
  nodes.set(type, node);
  return node;
}

interface Walk {
  /** One list that grows and shrinks: nearly no field is deprecated. */
  readonly path: (string | number)[];
  /** `at` is where the object with the field stands, for as long as the call lasts. */
  readonly found: (at: FieldPath, field: string, words: string) => void;
}

function visit({ old, inner, members }: Node, value: unknown, walk: Walk): void {
  if (typeof value !== "object" || value === null) return;
  const record = value as Readonly<Record<string, unknown>>;
  for (let index = 0; index < old.length; index++) {
    const [field, words] = old[index] as Node["old"][number];
    if (Object.hasOwn(record, field) && record[field] !== null) walk.found(walk.path, field, words);
  }
  for (let index = 0; index < inner.length; index++) {
    const { field, node } = inner[index] as Node["inner"][number];
    if (Object.hasOwn(record, field)) step(node, field, record[field], walk);
  }
  if (members === undefined) return;
  if (Array.isArray(value)) for (let index = 0; index < value.length; index++) step(members, index, value[index], walk);
  else for (const name of Object.keys(record)) step(members, name, record[name], walk);
}

function step(node: Node, name: string | number, value: unknown, walk: Walk): void {
  walk.path.push(name);
  visit(node, value, walk);
  walk.path.pop();
}

/** "Deprecated: use targetRefs." gives "Use targetRefs." */
function hintOf(description: string): string {
  const [first = ""] = description.replace(/^Deprecated: /, "").split(". ");
  const sentence = `${first.charAt(0).toUpperCase()}${first.slice(1)}`;
  return sentence.endsWith(".") ? sentence : `${sentence}.`;
}
