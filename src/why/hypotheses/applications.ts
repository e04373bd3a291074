import type { Facts, Guess, Hypothesis } from "../types.ts";
import { envoy, logged, refTo } from "../words.ts";

/** The application itself: it answered with an error, or closed the connection before it answered. */
export const applications: Hypothesis = {
  name: "applications",
  codes: ["application-answered", "application-closed"],
  guess(facts) {
    const { symptom, server, cluster, behind, proxy } = facts;
    const direct = server?.proxy === undefined;
    const ref =
      cluster?.direction === "inbound"
        ? proxy.pod
        : server?.pod === undefined
          ? undefined
          : refTo({ ...server.pod, kind: "Pod" });
    if (ref === undefined || (cluster?.direction !== "inbound" && !direct) || behind !== undefined) return [];
    if (symptom.details === "via_upstream" && (symptom.status ?? 0) >= 400) return [answered(facts, ref)];
    const closed = symptom.flags.includes("UC") || symptom.flags.includes("UR");
    return closed && !/protocol_error/.test(symptom.details ?? "") ? [closing(facts, ref)] : [];
  },
};

function answered(facts: Facts, pod: Guess["object"]): Guess {
  const { symptom } = facts;
  return {
    code: "application-answered",
    object: pod,
    says: `its application answered ${symptom.method ?? ""} ${symptom.path ?? ""} with ${symptom.status ?? 0} itself`,
    evidence: [logged(facts), envoy(facts.proxy, `the status came from ${symptom.upstreamHost ?? "the application"}`)],
    fix: `Read its log: kubectl logs -n ${pod.namespace} ${pod.name}.`,
    weight: 88,
  };
}

function closing(facts: Facts, pod: Guess["object"]): Guess {
  const { symptom } = facts;
  return {
    code: "application-closed",
    object: pod,
    says: "its application closed the connection before it answered",
    evidence: [
      logged(facts),
      envoy(facts.proxy, `the connection to ${symptom.upstreamHost ?? "the application"} ended`),
    ],
    fix: `Look whether it restarted or gave up: kubectl logs -n ${pod.namespace} ${pod.name}. When it closes idle connections, let its keep-alive be longer than Envoy's.`,
    weight: 80,
  };
}
