import { nearest } from "../base/nearest.ts";
import { pathText } from "../base/field-path.ts";
import { finding } from "../diagnostics/codes.ts";
import type { FieldPath, Finding } from "../diagnostics/finding.ts";
import { celRules, type RuleNode } from "../gen/cel-rules.ts";
import { type GatewayApiKindName, gatewayApiKinds } from "../gen/mesh-kinds.ts";
import { kindOf } from "../resources/kinds.ts";
import { type KubeObject, refOf } from "../resources/object.ts";
import { schemaFindings } from "./schema.ts";

const GROUP = "gateway.networking.k8s.io";

/** Kinds of the group that have no schema here: taken as they are. */
const OTHERS: readonly string[] = ["ListenerSet", "UDPRoute"];

/**
 * What the API server would say of an object of Gateway API: its kind and version, its schema, then the rules of its CRD (they
 * are asked only of what holds to the schema, with defaults filled in).
 */
export function gatewayApiFindings(object: KubeObject): readonly Finding[] {
  const [group, version = ""] = object.apiVersion.split("/");
  if (group !== GROUP) return [];
  const name = kindOf(object) as GatewayApiKindName | undefined;
  if (name === undefined) return unknownKind(object);
  const known = gatewayApiKinds[name];
  if (!(known.versions as readonly string[]).includes(version)) {
    const served = known.versions.map((each) => `${GROUP}/${each}`).join(", ");
    const place = { object: refOf(object), path: ["apiVersion"] };
    return [finding("MSH0201", place, { kind: object.kind, apiVersion: object.apiVersion, served })];
  }
  const schema = schemaFindings(name, object);
  return schema.length > 0 ? schema : brokenRules(name, object);
}

function unknownKind(object: KubeObject): readonly Finding[] {
  if (OTHERS.includes(object.kind)) return [];
  const names = [...Object.values(gatewayApiKinds).map(({ kind }) => kind), ...OTHERS];
  const args = { kind: object.kind, nearest: nearest(object.kind, names) ?? "", group: GROUP };
  return [finding("MSH0202", { object: refOf(object), path: ["kind"] }, args)];
}

function brokenRules(name: GatewayApiKindName, object: KubeObject): readonly Finding[] {
  const node = celRules[name] ?? {};
  const findings: Finding[] = [];
  visit(node, withDefaults(node, object.spec ?? {}), ["spec"], (path, message) => {
    const args = { rule: "crd-rule", problem: `${pathText(path)}: ${message}`, hint: "" };
    findings.push(finding("IST0106", { object: refOf(object), path }, args));
  });
  return findings;
}

type Broken = (path: FieldPath, message: string) => void;

function visit(node: RuleNode, value: unknown, path: FieldPath, broken: Broken): void {
  if (value === undefined || value === null) return;
  for (const { message, holds } of node.rules ?? []) if (!holds(value)) broken(path, message);
  for (const [step, child, below] of children(node, value)) visit(child, below, [...path, step], broken);
}

/** The places below a value that the node says something of. */
function children(node: RuleNode, value: unknown): readonly (readonly [string | number, RuleNode, unknown])[] {
  const { items, values, fields = {} } = node;
  if (Array.isArray(value))
    return items === undefined ? [] : value.map((item: unknown, index) => [index, items, item] as const);
  if (typeof value !== "object" || value === null) return [];
  const record = value as Readonly<Record<string, unknown>>;
  if (values !== undefined) return Object.entries(record).map(([key, item]) => [key, values, item] as const);
  return Object.entries(fields).map(([key, child]) => [key, child, record[key]] as const);
}

/** A value with the defaults that the API server fills in; the value itself stays as it is. */
function withDefaults(node: RuleNode, given: unknown): unknown {
  const value = given ?? node.default;
  if (Array.isArray(value)) return value.map((item: unknown) => withDefaults(node.items ?? {}, item));
  if (typeof value !== "object" || value === null) return value;
  const filled = children(node, value).flatMap(([key, child, below]) => {
    const member = withDefaults(child, below);
    return member === undefined ? [] : [[key, member] as const];
  });
  return { ...value, ...Object.fromEntries(filled) };
}
