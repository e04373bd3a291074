import { sameContent } from "../../base/equal.ts";
import { type MeshKindName, meshKinds } from "../../gen/mesh-kinds.ts";
import type { Finding, ObjectRef } from "../../diagnostics/finding.ts";
import { type KubeObject, refOf } from "../../resources/object.ts";

/** A finding with its words: readers of the endpoint need no table of codes. */
export interface SpokenFinding extends Finding {
  readonly name: string;
  readonly message: string;
  readonly hint?: string;
  readonly documentationUrl: string;
}

const CONDITION = "PassedAnalysis";

/** Istio's `status.validationMessages` (AnalysisMessageBase) with the words added, and the condition `PassedAnalysis`. */
export interface AnalysisStatus {
  readonly validationMessages: readonly unknown[];
  readonly conditions: readonly Condition[];
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

/** An object whose status says something else than the analysis. */
export interface StatusChange {
  readonly kind: MeshKindName;
  readonly namespace: string;
  readonly name: string;
  readonly status: AnalysisStatus;
}

/** What is to be written into the mesh's objects; what is right is left alone. */
export function statusChanges(
  objects: readonly KubeObject[],
  findings: readonly SpokenFinding[],
  now: Date,
): readonly StatusChange[] {
  const byObject = new Map<string, SpokenFinding[]>();
  for (const found of findings) {
    if (found.object === undefined) continue;
    const known = byObject.get(keyOf(found.object));
    if (known === undefined) byObject.set(keyOf(found.object), [found]);
    else known.push(found);
  }
  return objects.flatMap((object): StatusChange[] => {
    const { kind, namespace, name } = refOf(object);
    if (!isMeshKind(object)) return [];
    const status = statusOf(object, byObject.get(keyOf({ kind, namespace, name })) ?? [], now);
    return status === undefined ? [] : [{ kind: kind as MeshKindName, namespace, name, status }];
  });
}

/** The mesh's own kinds; a Gateway of Gateway API is none. */
function isMeshKind({ apiVersion, kind }: KubeObject): boolean {
  return Object.hasOwn(meshKinds, kind) && apiVersion.startsWith(`${meshKinds[kind as MeshKindName].group}/`);
}

function keyOf({ kind, namespace, name }: ObjectRef): string {
  return `${kind}/${namespace}/${name}`;
}

/** The status to write, or undefined when the object's own says the same. An object that was always clean gets none. */
export function statusOf(
  object: KubeObject,
  findings: readonly SpokenFinding[],
  now: Date,
): AnalysisStatus | undefined {
  const { conditions = [], validationMessages: said = [] } = (object.status ?? {}) as Partial<AnalysisStatus>;
  const before = conditions.find(({ type }) => type === CONDITION);
  if (findings.length === 0 && before === undefined && said.length === 0) return undefined;
  const validationMessages = findings.map(messageOf);
  const condition = conditionOf(findings, before, now);
  if (before?.status === condition.status && sameContent(said, validationMessages)) return undefined;
  return { validationMessages, conditions: [...conditions.filter(({ type }) => type !== CONDITION), condition] };
}

function messageOf({ code, name, level, documentationUrl, message }: SpokenFinding): unknown {
  return { type: { code, name }, level: level.toUpperCase(), documentationUrl, message };
}

/** The condition; its time is that of the last change of its status. */
function conditionOf(findings: readonly SpokenFinding[], before: Condition | undefined, now: Date): Condition {
  const worst = findings.find(({ level }) => level === "Error");
  const status = worst === undefined ? "True" : "False";
  const kept = before?.status === status ? before.lastTransitionTime : undefined;
  return {
    type: CONDITION,
    status,
    reason: worst?.name ?? "NoErrors",
    message: worst?.message ?? "",
    lastTransitionTime: kept ?? now.toISOString().replace(/\.\d+Z$/, "Z"),
  };
}
