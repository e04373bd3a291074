import type { Pod } from "../../resources/core.ts";
import type { Evidence, Guess } from "../types.ts";
import { kubernetes, podRef } from "../words.ts";

interface ContainerStatus {
  readonly name?: string;
  readonly restartCount?: number;
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
  readonly lastState?: { readonly terminated?: { readonly exitCode?: number; readonly reason?: string } };
}

const WITHHELD = "traffic.meshctl.io/withhold";

/** Why a pod gets no requests; nothing for one that is ready for them. */
export function podStates(pod: Pod, evidence: readonly Evidence[]): readonly Guess[] {
  const withheld = pod.metadata.annotations?.[WITHHELD];
  if (withheld !== undefined)
    return [
      {
        code: "pods-withheld",
        object: podRef(pod),
        field: `metadata.annotations["${WITHHELD}"]`,
        says: "it is taken out of traffic",
        evidence: [...evidence, kubernetes(`annotation ${WITHHELD} is ${withheld}`)],
        fix: "Bring it back with meshctl bring.",
        weight: 93,
      },
    ];
  return isReady(pod) ? [] : [unready(pod, evidence)];
}

function isReady({ status }: Pod): boolean {
  return status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true;
}

function unready(pod: Pod, evidence: readonly Evidence[]): Guess {
  const { phase = "unknown" } = pod.status ?? {};
  const containers = (pod.status?.["containerStatuses"] ?? []) as readonly ContainerStatus[];
  const waiting = containers.find(({ state }) => state?.waiting?.reason !== undefined);
  if (waiting !== undefined && crashes(waiting)) return crash(pod, waiting, evidence);
  if (waiting !== undefined || phase === "Pending") return notStarted(pod, waiting, { phase, evidence });
  const { namespace, name } = podRef(pod);
  return {
    code: "pods-not-ready",
    object: podRef(pod),
    says: "it runs, and its readiness probe does not succeed",
    evidence: [...evidence, kubernetes("condition Ready is False, no container waits")],
    fix: `Look at its probe: kubectl describe pod -n ${namespace} ${name}.`,
    weight: 92,
  };
}

function reasonOf({ state }: ContainerStatus): string {
  return state?.waiting?.reason ?? "";
}

function crashes(status: ContainerStatus): boolean {
  return reasonOf(status) === "CrashLoopBackOff" || status.lastState?.terminated?.exitCode !== undefined;
}

function crash(pod: Pod, status: ContainerStatus, evidence: readonly Evidence[]): Guess {
  const { name: container = "", restartCount = 0, lastState } = status;
  const { exitCode = "unknown", reason } = lastState?.terminated ?? {};
  const { namespace, name } = podRef(pod);
  const why = reason === undefined ? "" : ` (${reason})`;
  return {
    code: "pods-crash",
    object: podRef(pod),
    says: `its container ${container} ends again and again`,
    evidence: [
      ...evidence,
      kubernetes(`${reasonOf(status)}, ${restartCount} restarts, last exit code ${exitCode}${why}`),
    ],
    fix: `Read what it wrote last: kubectl logs -n ${namespace} ${name} -c ${container} --previous.`,
    weight: 94,
  };
}

function notStarted(
  pod: Pod,
  waiting: ContainerStatus | undefined,
  { phase, evidence }: { readonly phase: string; readonly evidence: readonly Evidence[] },
): Guess {
  const reason = waiting === undefined ? "" : reasonOf(waiting);
  const { namespace, name } = podRef(pod);
  const waits = reason === "" ? "" : `, container ${waiting?.name ?? ""} waits: ${reason}`;
  return {
    code: "pods-not-started",
    object: podRef(pod),
    says: `it does not start${reason === "" ? "" : `: ${reason}`}`,
    evidence: [...evidence, kubernetes(`phase ${phase}${waits}`)],
    fix: `Look at its events: kubectl describe pod -n ${namespace} ${name}.`,
    weight: 94,
  };
}
