import type { ObjectRef } from "../../ir/refs.ts";
import type { Facts, Guess, Hypothesis } from "../types.ts";
import { envoy, flagged, logged, podRef } from "../words.ts";

/** The application itself: it answered with an error, or closed the connection before it answered. */
export const applications: Hypothesis = {
  name: "applications",
  codes: ["application-answered", "application-closed"],
  guess(facts) {
    const pod = podOf(facts);
    if (pod === undefined || facts.behind !== undefined) return [];
    const { details = "", status = 0 } = facts.symptom;
    if (details === "via_upstream") return status >= 400 ? [answered(facts, pod)] : [];
    const closed = flagged(facts.symptom, "UC", "UR") && !details.includes("protocol_error");
    return closed ? [closing(facts, pod)] : [];
  },
};

/** The pod whose application was asked without a proxy between: its own for inbound, else one without a proxy. */
function podOf({ cluster, proxy, server }: Facts): ObjectRef | undefined {
  if (cluster?.direction === "inbound") return proxy.pod;
  return server?.pod === undefined || server.proxy !== undefined ? undefined : podRef(server.pod);
}

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
