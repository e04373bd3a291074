import { transitionTimes } from "../conditions.ts";
import type { Condition, ContainerStatus, Pod, PodStatus } from "../shapes.ts";

/** What the node knows about a pod when it writes its status. */
export interface PodView {
  readonly pod: Pod;
  readonly podIp: string | undefined;
  readonly hostIp: string;
  readonly startTime: string;
  readonly initialized: boolean;
  readonly init: readonly ContainerStatus[];
  readonly main: readonly ContainerStatus[];
  /** Names of the init containers that keep running. */
  readonly sidecars: ReadonlySet<string>;
  /** Set when the pod has come to an end. */
  readonly ended: "Succeeded" | "Failed" | undefined;
  readonly problem: { readonly reason: string; readonly message: string } | undefined;
}

/** The status object: phase, addresses, conditions and containers. */
export function podStatus(view: PodView, now: Date): PodStatus {
  const { pod, podIp, hostIp, init, main, problem } = view;
  const phase = view.ended ?? (view.initialized && main.some(hasRun) ? "Running" : "Pending");
  return {
    phase,
    hostIP: hostIp,
    ...(podIp === undefined ? {} : { podIP: podIp, podIPs: [{ ip: podIp }] }),
    startTime: view.startTime,
    conditions: transitionTimes(conditionsOf(view), pod.status?.conditions ?? [], now),
    ...(init.length === 0 ? {} : { initContainerStatuses: init }),
    containerStatuses: main,
    qosClass: "BestEffort",
    ...(problem === undefined ? {} : { reason: problem.reason, message: problem.message }),
  } as PodStatus;
}

function hasRun(status: ContainerStatus): boolean {
  return status.state.running !== undefined || status.state.terminated !== undefined || status.restartCount > 0;
}

function conditionsOf({ pod, podIp, initialized, init, main, sidecars, ended }: PodView): readonly Condition[] {
  const running = [...main, ...init.filter((status) => sidecars.has(status.name))];
  const unready = running.filter((status) => !status.ready).map((status) => status.name);
  const reason = ended === "Succeeded" ? "PodCompleted" : "ContainersNotReady";
  const message = `containers with unready status: [${unready.join(" ")}]`;
  const ready = unready.length === 0 && initialized && ended === undefined;
  const readiness: Omit<Condition, "type"> = ready ? { status: "True" } : { status: "False", reason, message };
  const given = pod.status?.conditions ?? [];
  const gates = pod.spec?.readinessGates ?? [];
  const open = gates.every(({ conditionType }) =>
    given.some((condition) => condition.type === conditionType && condition.status === "True"),
  );
  const gated: Omit<Condition, "type"> =
    ready && !open
      ? { status: "False", reason: "ReadinessGatesNotReady", message: "readiness gates are closed" }
      : readiness;
  const own: Condition[] = [
    { type: "PodReadyToStartContainers", status: podIp === undefined ? "False" : "True" },
    initialized
      ? { type: "Initialized", status: "True" }
      : { type: "Initialized", status: "False", reason: "ContainersNotInitialized" },
    { type: "Ready", ...gated },
    { type: "ContainersReady", ...readiness },
    { type: "PodScheduled", status: "True" },
  ];
  return [...own, ...given.filter((condition) => gates.some((gate) => gate.conditionType === condition.type))];
}
