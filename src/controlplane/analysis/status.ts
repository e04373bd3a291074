import { ClusterError } from "../../base/errors.ts";
import { sameContent } from "../../base/equal.ts";
import type { Logger } from "../../base/logger.ts";
import { type MeshKindName, meshKinds } from "../../gen/mesh-kinds.ts";
import type { Cluster } from "../../resources/cluster.ts";
import { apiVersionOf } from "../../resources/kinds.ts";
import type { KubeObject } from "../../resources/object.ts";
import type { World } from "../../resources/world.ts";
import { createWriterQueue } from "../writer-queue.ts";
import type { AnalysisReport, SpokenFinding } from "./job.ts";

export interface StatusWriterDeps {
  readonly cluster: Pick<Cluster, "mergePatch">;
  readonly world: World;
  readonly log: Logger;
  readonly now: () => Date;
}

/** Writes findings into the status of the mesh's objects, where kubectl and Kiali show them. */
export interface StatusWriter {
  /** Objects whose status says something else than the report are written; what is right is left alone. */
  write(report: AnalysisReport): void;
  close(): Promise<void>;
}

const CONDITION = "PassedAnalysis";
const KINDS = Object.keys(meshKinds) as MeshKindName[];

/** Istio's `status.validationMessages` (AnalysisMessageBase) with the words added, and the condition `PassedAnalysis`. */
interface AnalysisStatus {
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

export function createStatusWriter({ cluster, world, log, now }: StatusWriterDeps): StatusWriter {
  let wanted: ReadonlyMap<string, readonly SpokenFinding[]> = new Map();
  const work = async (key: string): Promise<void> => {
    const [kind = "", namespace = "", name = ""] = key.split("/");
    const object = world.get(kind as MeshKindName, namespace, name);
    if (object === undefined) return;
    const status = statusOf(object, wanted.get(key) ?? [], now());
    if (status === undefined) return;
    const target = { apiVersion: apiVersionOf(kind as MeshKindName), kind, namespace, name };
    await cluster.mergePatch(target, { status }, { subresource: "status" }).catch((error: unknown) => {
      // it went away in the meantime
      if (!(error instanceof ClusterError) || error.code !== "not-found") throw error;
    });
  };
  const queue = createWriterQueue("analysis-status", work, log);
  return {
    write({ findings }) {
      const byObject = new Map<string, SpokenFinding[]>();
      for (const found of findings) {
        if (found.object === undefined) continue;
        const { kind, namespace, name } = found.object;
        const key = `${kind}/${namespace}/${name}`;
        byObject.set(key, [...(byObject.get(key) ?? []), found]);
      }
      wanted = byObject;
      for (const kind of KINDS)
        for (const object of world.list(kind)) {
          const key = `${kind}/${object.metadata.namespace ?? ""}/${object.metadata.name}`;
          if (statusOf(object, byObject.get(key) ?? [], now()) !== undefined) queue.add(key);
        }
    },
    close: () => queue.close(),
  };
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
