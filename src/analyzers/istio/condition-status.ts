import type { FieldPath } from "../../diagnostics/finding.ts";
import type { KindName } from "../../resources/kinds.ts";
import type { KubeObject } from "../../resources/object.ts";
import { defineAnalyzer } from "../analyzer.ts";

/** Conditions that say something is wrong when they are False, by kind. */
const JUDGED = {
  Service: ["istio.io/WaypointBound"],
  ServiceEntry: ["istio.io/WaypointBound"],
  WorkloadEntry: ["istio.io/WaypointBound"],
  AuthorizationPolicy: ["ZtunnelAccepted", "WaypointAccepted"],
  KubernetesGateway: ["Accepted", "Programmed", "ResolvedRefs"],
  HTTPRoute: ["Accepted", "Programmed", "ResolvedRefs"],
  GRPCRoute: ["Accepted", "Programmed", "ResolvedRefs"],
} as const satisfies { readonly [K in KindName]?: readonly string[] };

const KINDS = Object.keys(JUDGED) as readonly (keyof typeof JUDGED)[];

/**
 * Controllers write into the status what they could not do; nobody looks there. A condition about an earlier generation of the
 * object says nothing about this one.
 */
export const conditionStatus = defineAnalyzer({
  name: "condition-status",
  summary: "Passes on conditions in the status of objects that say something did not work.",
  reads: KINDS,
  codes: ["IST0171"],
  analyze: ({ world, report }) => {
    for (const kind of KINDS)
      for (const object of world.list(kind))
        for (const { path, condition } of conditionsOf(object)) {
          const { type, reason = "", message = "" } = condition;
          if (!isNegative(kind, condition) || isStale(object, condition)) continue;
          report(object, path, "IST0171", { type, reason, message: message.replace(/\.$/, "") });
        }
  },
});

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number | string;
}

function isNegative(kind: keyof typeof JUDGED, { type, status, reason }: Condition): boolean {
  const types: readonly string[] = JUDGED[kind];
  if (!types.includes(type)) return false;
  return status === "False" || (kind === "AuthorizationPolicy" && reason === "PartiallyInvalid");
}

function isStale({ metadata }: KubeObject, { observedGeneration }: Condition): boolean {
  if (observedGeneration === undefined || metadata.generation === undefined) return false;
  return Number(observedGeneration) < metadata.generation;
}

interface Placed {
  readonly path: FieldPath;
  readonly condition: Condition;
}

/** Conditions of the object, and of its listeners or parents. */
function conditionsOf({ status }: KubeObject): readonly Placed[] {
  const own = placed(status, ["status"]);
  const { listeners, parents } = (status ?? {}) as { readonly listeners?: unknown; readonly parents?: unknown };
  const inside = Object.entries({ listeners, parents }).flatMap(([field, items]) =>
    Array.isArray(items) ? items.flatMap((item: unknown, index) => placed(item, ["status", field, index])) : [],
  );
  return [...own, ...inside];
}

function placed(holder: unknown, at: FieldPath): readonly Placed[] {
  const conditions: unknown = (holder as { readonly conditions?: unknown } | undefined)?.conditions;
  if (!Array.isArray(conditions)) return [];
  return conditions.map((condition: Condition, index) => ({ path: [...at, "conditions", index], condition }));
}
