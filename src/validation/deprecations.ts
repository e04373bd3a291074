import { own } from "../base/own.ts";
import { finding } from "../diagnostics/codes.ts";
import type { FieldPath, Finding } from "../diagnostics/finding.ts";
import type { MeshKindName } from "../gen/mesh-kinds.ts";
import { deprecatedFields, shapes } from "../gen/validators/shapes.ts";
import { type KubeObject, refOf } from "../resources/object.ts";

/** Deprecated fields that are in use, by what the schema says of them (IST0002). */
export function deprecations(kind: MeshKindName, object: KubeObject): readonly Finding[] {
  const findings: Finding[] = [];
  visit(kind, object.spec, ["spec"], (path, field, words) => {
    const place = { object: refOf(object), path };
    findings.push(finding("IST0002", place, { kind, field, instead: hintOf(words) }));
  });
  return findings;
}

type Found = (path: FieldPath, field: string, words: string) => void;

function visit(type: string, value: unknown, path: FieldPath, found: Found): void {
  if (typeof value !== "object" || value === null) return;
  const collection = type.startsWith("[]") || type.startsWith("{}");
  const fields = own(shapes, type) ?? {};
  const old = own(deprecatedFields, type) ?? {};
  for (const [name, member] of Object.entries(value)) {
    const words = own(old, name);
    const inner = [...path, Array.isArray(value) ? Number(name) : name];
    if (words !== undefined && member !== null) found(inner, name, words);
    visit(collection ? type.slice(2) : (own(fields, name) ?? "any"), member, inner, found);
  }
}

/** "Deprecated: use targetRefs." gives "Use targetRefs." */
function hintOf(description: string): string {
  const [first = ""] = description.replace(/^Deprecated: /, "").split(". ");
  const sentence = `${first.charAt(0).toUpperCase()}${first.slice(1)}`;
  return sentence.endsWith(".") ? sentence : `${sentence}.`;
}
