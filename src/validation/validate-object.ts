import { nearest } from "../base/nearest.ts";
import { withoutNulls } from "../base/nulls.ts";
import { own } from "../base/own.ts";
import { finding } from "../diagnostics/codes.ts";
import type { Finding } from "../diagnostics/finding.ts";
import { gatewayApiKinds, type MeshKind, type MeshKindName, meshKinds } from "../gen/mesh-kinds.ts";
import { type KubeObject, refOf } from "../resources/object.ts";
import { deprecations } from "./deprecations.ts";
import { kubernetesFindings } from "./kubernetes.ts";
import { meshConfigFindings } from "./mesh-config.ts";
import { metadataRules } from "./metadata.ts";
import { ruleFindings, type Rules } from "./rule.ts";
import { rulesByKind } from "./rules.ts";
import { isAboutRule, schemaFindings } from "./schema.ts";

/** The names of our kinds by group and kind, for groups whose kinds all have schemas. */
const GROUPS: ReadonlyMap<string, ReadonlyMap<string, { readonly name: string; readonly about: MeshKind }>> = byGroup({
  ...meshKinds,
  ...gatewayApiKinds,
});

function byGroup(kinds: Readonly<Record<string, MeshKind>>): typeof GROUPS {
  const groups = new Map<string, Map<string, { name: string; about: MeshKind }>>();
  for (const [name, about] of Object.entries(kinds)) {
    const group = groups.get(about.group) ?? new Map<string, { name: string; about: MeshKind }>();
    groups.set(about.group, group.set(about.kind, { name, about }));
  }
  return groups;
}

/** Groups that belong to the mesh alone: a kind that has no schema here does not exist. */
const isOurs = (group: string): boolean => group.endsWith(".istio.io");

/**
 * What is wrong with one object, looked at alone: unknown kind or version, schema, then the rules of its kind (they need a
 * spec that holds to the schema). Of Kubernetes' own kinds the types of fields are checked.
 */
export function validateObject(object: KubeObject): readonly Finding[] {
  const findings = kubernetesFindings(object);
  const others = meshConfigFindings(object);
  const mesh = meshFindings(object, findings.length === 0);
  if (others.length + mesh.length === 0) return findings;
  return [...findings, ...others, ...mesh];
}

const NONE: readonly Finding[] = [];

/** Rules trust the types of metadata too: an object whose metadata is not `sound` is held to its schema alone. */
function meshFindings(object: KubeObject, sound: boolean): readonly Finding[] {
  const slash = object.apiVersion.indexOf("/");
  const group = slash < 0 ? "" : object.apiVersion.slice(0, slash);
  const kinds = GROUPS.get(group);
  const known = kinds?.get(object.kind);
  if (kinds === undefined || known === undefined) return unknownKind(object, group);
  if (!known.about.versions.includes(object.apiVersion.slice(slash + 1))) return unknownVersion(object, known.about);
  const schema = schemaFindings(known.name, object);
  if (!sound || !schema.every(isAboutRule)) return schema;
  const rules = own<Rules<never>>(rulesByKind, known.name);
  if (rules === undefined) return schema;
  const clean = withoutNulls(object);
  const annotated = clean.metadata.annotations === undefined ? NONE : ruleFindings(metadataRules, clean);
  const found = ruleFindings(rules as Rules<unknown>, clean);
  const old = deprecations(known.name as MeshKindName, clean);
  if (annotated.length + schema.length + found.length + old.length === 0) return NONE;
  return [...annotated, ...schema.filter((each) => !isSaid(each, found)), ...found, ...old];
}

/** Whether a rule says with more words what the schema says: something wrong at or below the same place. */
function isSaid({ path }: Finding, found: readonly Finding[]): boolean {
  return found.some(({ level, path: at }) => level === "Error" && path.every((step, index) => step === at[index]));
}

function unknownVersion(object: KubeObject, { group, versions }: MeshKind): readonly Finding[] {
  const served = versions.map((name) => `${group}/${name}`).join(", ");
  const place = { object: refOf(object), path: ["apiVersion"] };
  return [finding("MSH0201", place, { kind: object.kind, apiVersion: object.apiVersion, served })];
}

function unknownKind(object: KubeObject, group: string): readonly Finding[] {
  const elsewhere = own<MeshKind>(meshKinds, object.kind);
  if (!isOurs(group) || group === "install.istio.io") return NONE;
  if (elsewhere !== undefined) return unknownVersion(object, elsewhere);
  const close = nearest(object.kind, [...(GROUPS.get(group)?.keys() ?? [])]) ?? "";
  return [finding("MSH0202", { object: refOf(object), path: ["kind"] }, { kind: object.kind, nearest: close, group })];
}
