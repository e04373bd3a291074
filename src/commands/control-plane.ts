import { ClusterError, errorText } from "../base/errors.ts";
import type { Cluster } from "../resources/cluster.ts";
import type { Io } from "./io.ts";
import { controlPlanePods, getText, postText } from "./pod-http.ts";

/** Port of a control plane pod where it answers questions about itself. */
export const MONITORING_PORT = 15_014;

/** What one pod of the control plane answered. */
export interface PodAnswer {
  readonly istiod: string;
  readonly revision: string;
  readonly answer: unknown;
}

/** Which pods are asked, and what. */
export interface ControlPlaneQuestion {
  readonly istioNamespace: string;
  /** Only this control plane. */
  readonly revision?: string;
  /** Path of the monitoring port. */
  readonly path: string;
  /** By POST, which changes something. */
  readonly isChange?: boolean;
}

/**
 * Asks every pod of the control plane at once for JSON. One that does not answer is told and left out; when none does, its
 * ClusterError is thrown.
 */
export async function askEach(
  cluster: Cluster,
  { istioNamespace, revision, path, isChange = false }: ControlPlaneQuestion,
  io: Pick<Io, "err">,
): Promise<{ readonly answers: readonly PodAnswer[]; readonly failed: number }> {
  const pods = await controlPlanePods(cluster, istioNamespace, revision);
  const ask = isChange ? postText : getText;
  const results = await Promise.allSettled(
    pods.map(async ({ metadata }): Promise<PodAnswer> => {
      const target = { namespace: istioNamespace, pod: metadata.name, port: MONITORING_PORT };
      const answer = parsed(await ask(cluster, target, path), metadata.name);
      return { istiod: metadata.name, revision: metadata.labels?.["istio.io/rev"] ?? "default", answer };
    }),
  );
  const answers = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  if (answers.length === 0) throw failures[0];
  for (const failure of failures) io.err(`Not asked: ${errorText(failure)}\n`);
  return { answers, failed: failures.length };
}

function parsed(text: string, pod: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ClusterError("pod-http", `control plane pod ${pod} answered no JSON`, { cause: error });
  }
}
