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
  readonly ephemeral: readonly ContainerStatus[];
  /** Names of the init containers that keep running. */
  readonly sidecars: ReadonlySet<string>;
  /** Set when the pod has come to an end. */
  readonly ended: "Succeeded" | "Failed" | undefined;
  readonly problem: { readonly reason: string; readonly message: string } | undefined;
}

/** The status object: phase, addresses, conditions and containers. */
export function podStatus(view: PodView, now: Date): PodStatus {
  const { pod, podIp, hostIp, init, main, ephemeral, problem } = view;
  const phase = view.ended ?? (view.initialized && main.some(hasRun) ? "Running" : "Pending");
  return {
    phase,
    hostIP: hostIp,
    ...(podIp === undefined ? {} : { podIP: podIp, podIPs: [{ ip: podIp }] }),
    startTime: view.startTime,
    conditions: transitionTimes(conditionsOf(view), pod.status?.conditions ?? [], now),
    ...(init.length === 0 ? {} : { initContainerStatuses: init.map((status) => initStatus(status, view)) }),
    containerStatuses: main,
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral }),
    qosClass: "BestEffort",
    ...(problem === undefined ? {} : { reason: problem.reason, message: problem.message }),
  } as PodStatus;
}

/** One that has done its work is ready, as kubelet says of it. */
function initStatus(status: ContainerStatus, { sidecars }: PodView): ContainerStatus {
  const isDone = !sidecars.has(status.name) && status.state.terminated?.exitCode === 0;
  return isDone ? { ...status, ready: true } : status;
}

function hasRun(status: ContainerStatus): boolean {
  return status.state.running !== undefined || status.state.terminated !== undefined || status.restartCount > 0;
}

function conditionsOf(view: PodView): readonly Condition[] {
  const { pod, podIp, initialized } = view;
  const readiness = readinessOf(view);
  const given = pod.status?.conditions ?? [];
  const gates = new Set(pod.spec?.readinessGates?.map(({ conditionType }) => conditionType));
  const open = [...gates].every((gate) => given.some(({ type, status }) => type === gate && status === "True"));
  const closed = { status: "False", reason: "ReadinessGatesNotReady", message: "readiness gates are closed" };
  const unfinished = { status: "False", reason: "ContainersNotInitialized" };
  return [
    { type: "PodReadyToStartContainers", status: podIp === undefined ? "False" : "True" },
    { type: "Initialized", ...(initialized ? { status: "True" } : unfinished) },
    { type: "Ready", ...(readiness.status === "True" && !open ? closed : readiness) },
    { type: "ContainersReady", ...readiness },
    { type: "PodScheduled", status: "True" },
    ...given.filter(({ type }) => gates.has(type)),
  ];
}

/** Every container that runs on, sidecars too, is ready. */
function readinessOf({ initialized, init, main, sidecars, ended }: PodView): Omit<Condition, "type"> {
  const running = [...main, ...init.filter((status) => sidecars.has(status.name))];
  const unready = running.filter((status) => !status.ready).map((status) => status.name);
  if (unready.length === 0 && initialized && ended === undefined) return { status: "True" };
  const reason = ended === "Succeeded" ? "PodCompleted" : "ContainersNotReady";
  return { status: "False", reason, message: `containers with unready status: [${unready.join(" ")}]` };
}
