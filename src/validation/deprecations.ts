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
  visit(node, object.spec, ["spec"], (path, field, words) => {
    const place = { object: refOf(object), path };
    findings.push(finding("IST0002", place, { kind, field, instead: hintOf(words) }));
  });
  return findings;
}

const NONE: readonly Finding[] = [];

/** Where deprecated fields are in a type: there, or inside a field, list or map. Types without any have no node. */
interface Node {
  /** Field and what the schema says of it. */
  readonly old: readonly (readonly [string, string])[];
  readonly inner: readonly (readonly [string, Node])[];
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
  const inner = Object.entries(own(shapes, type) ?? {}).flatMap(
    ([field, inside]): readonly (readonly [string, Node])[] => {
      const node = nodeOf(inside);
      return node === undefined ? [] : [[field, node]];
    },
  );
  const node = old.length + inner.length === 0 && members === undefined ? undefined : { old, inner, members };
  nodes.set(type, node);
  return node;
}

type Found = (path: FieldPath, field: string, words: string) => void;

function visit({ old, inner, members }: Node, value: unknown, path: FieldPath, found: Found): void {
  if (typeof value !== "object" || value === null) return;
  const record = value as Readonly<Record<string, unknown>>;
  for (const [field, words] of old)
    if (Object.hasOwn(record, field) && record[field] !== null) found([...path, field], field, words);
  for (const [field, node] of inner)
    if (Object.hasOwn(record, field)) visit(node, record[field], [...path, field], found);
  if (members === undefined) return;
  for (const [name, member] of Object.entries(value))
    visit(members, member, [...path, Array.isArray(value) ? Number(name) : name], found);
}

/** "Deprecated: use targetRefs." gives "Use targetRefs." */
function hintOf(description: string): string {
  const [first = ""] = description.replace(/^Deprecated: /, "").split(". ");
  const sentence = `${first.charAt(0).toUpperCase()}${first.slice(1)}`;
  return sentence.endsWith(".") ? sentence : `${sentence}.`;
}
