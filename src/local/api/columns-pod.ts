import type { JsonObject, Obj } from "./json.ts";
import { asObject, asObjects, asString, at } from "./json.ts";
import { ageText, type BuiltinColumns } from "./print.ts";

function statuses(pod: Obj, list: string): JsonObject[] {
  return asObjects(at(pod, "status", list));
}

/** Names of init containers that keep running beside the others. */
function sidecars(pod: Obj): Set<string> {
  const init = asObjects(at(pod, "spec", "initContainers")).filter((entry) => entry["restartPolicy"] === "Always");
  return new Set(init.map((entry) => asString(entry["name"])));
}

function initReason(pod: Obj): string | undefined {
  const init = statuses(pod, "initContainerStatuses");
  const running = sidecars(pod);
  for (const [index, status] of init.entries()) {
    const { terminated, waiting } = asObject(status["state"]);
    const done = asObject(terminated);
    if (terminated !== undefined && done["exitCode"] === 0) continue;
    if (running.has(asString(status["name"])) && status["started"] === true) continue;
    if (terminated !== undefined) return `Init:${asString(done["reason"]) || `ExitCode:${Number(done["exitCode"])}`}`;
    const why = asString(asObject(waiting)["reason"]);
    if (why !== "" && why !== "PodInitializing") return `Init:${why}`;
    return `Init:${index}/${init.length}`;
  }
  return undefined;
}

function containerReason(pod: Obj): string | undefined {
  let reason: string | undefined;
  for (const status of statuses(pod, "containerStatuses").toReversed()) {
    const { terminated, waiting } = asObject(status["state"]);
    const waits = asString(asObject(waiting)["reason"]);
    const done = asObject(terminated);
    if (waits !== "") reason = waits;
    else if (terminated !== undefined) reason = asString(done["reason"]) || `ExitCode:${Number(done["exitCode"])}`;
  }
  return reason;
}

/** The STATUS column of `kubectl get pods`. */
export function podStatusText(pod: Obj): string {
  const own = asString(at(pod, "status", "reason"));
  const phase = asString(at(pod, "status", "phase"));
  if (pod.metadata.deletionTimestamp !== undefined) return own === "NodeLost" ? "Unknown" : "Terminating";
  const started = asObjects(at(pod, "status", "conditions")).some(
    (entry) => entry["type"] === "Initialized" && entry["status"] === "True",
  );
  const init = started ? undefined : initReason(pod);
  return init ?? containerReason(pod) ?? (own === "" ? phase : own);
}

function counted(pod: Obj): JsonObject[] {
  const running = sidecars(pod);
  const init = statuses(pod, "initContainerStatuses").filter((entry) => running.has(asString(entry["name"])));
  return [...init, ...statuses(pod, "containerStatuses")];
}

function readyText(pod: Obj): string {
  const total = asObjects(at(pod, "spec", "containers")).length + sidecars(pod).size;
  return `${counted(pod).filter((entry) => entry["ready"] === true).length}/${total}`;
}

function restartText(pod: Obj): string {
  const all = counted(pod);
  const total = all.reduce((sum, entry) => sum + Number(entry["restartCount"] ?? 0), 0);
  const ends = all
    .map((entry) => asString(at(entry, "lastState", "terminated", "finishedAt")))
    .filter((time) => time !== "")
    .sort();
  const last = ends.at(-1);
  return total === 0 || last === undefined ? String(total) : `${total} (${ageText(last)} ago)`;
}

function gates(pod: Obj): string {
  const wanted = asObjects(at(pod, "spec", "readinessGates")).map((entry) => entry["conditionType"]);
  if (wanted.length === 0) return "<none>";
  const conditions = asObjects(at(pod, "status", "conditions")).filter((entry) => entry["status"] === "True");
  return `${conditions.filter((entry) => wanted.includes(entry["type"])).length}/${wanted.length}`;
}

function orNone(value: unknown): string {
  const text = asString(value);
  return text === "" ? "<none>" : text;
}

/** Columns of pods, without the age. */
export const podColumns: BuiltinColumns = [
  { name: "Ready", type: "string", priority: 0, cell: readyText },
  { name: "Status", type: "string", priority: 0, cell: podStatusText },
  { name: "Restarts", type: "string", priority: 0, cell: restartText },
  { name: "IP", type: "string", priority: 1, cell: (pod) => orNone(at(pod, "status", "podIP")) },
  { name: "Node", type: "string", priority: 1, cell: (pod) => orNone(at(pod, "spec", "nodeName")) },
  {
    name: "Nominated Node",
    type: "string",
    priority: 1,
    cell: (pod) => orNone(at(pod, "status", "nominatedNodeName")),
  },
  { name: "Readiness Gates", type: "string", priority: 1, cell: gates },
];
