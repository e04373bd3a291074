import type { ObjectRef } from "../../ir/refs.ts";
import type { Facts, Guess, Hypothesis } from "../types.ts";
import { envoy, flagged, kubernetes, logged, podRef } from "../words.ts";

/** The application itself: it answered with an error or what is no HTTP, or closed the connection before the answer was whole. */
export const applications: Hypothesis = {
  name: "applications",
  codes: ["application-answered", "application-closed", "application-broke-off", "application-breaks-protocol"],
  guess(facts) {
    const pod = podOf(facts);
    if (pod === undefined || facts.behind !== undefined) return [];
    const { details = "", status = 0 } = facts.symptom;
    if (details === "via_upstream") return status >= 400 ? [answered(facts, pod)] : [];
    const isAgainstRules = details.includes("protocol_error") || flagged(facts.symptom, "UPE");
    if (!isAgainstRules && !flagged(facts.symptom, "UC", "UR")) return [];
    if (details.includes("after_response_started")) return [breakingOff(facts, pod)];
    return isAgainstRules ? breaking(facts, pod) : [closing(facts, pod)];
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

/** It began an answer, and the connection ended before that was whole. */
function breakingOff(facts: Facts, pod: Guess["object"]): Guess {
  const { bytesSent, duration, upstreamHost } = facts.symptom;
  const went = envoy(
    facts.proxy,
    `${bytesSent ?? "some"} bytes of the body had gone on after ${duration ?? "some"} ms`,
  );
  return {
    code: "application-broke-off",
    object: pod,
    says: "its application began an answer and did not end it: the connection closed in the middle",
    evidence: [logged(facts), went, envoy(facts.proxy, `the connection to ${upstreamHost ?? "it"} ended`)],
    fix: `Look whether it crashed or was stopped while it answered: kubectl logs -n ${pod.namespace} ${pod.name} --previous.`,
    weight: 86,
  };
}

/** It speaks the protocol that the port says when asked something simple, and answered this in a way that is against it. */
function breaking(facts: Facts, pod: Guess["object"]): readonly Guess[] {
  const speaks = facts.server?.speaks;
  if (speaks !== "http1" && speaks !== "http2") return [];
  return [
    {
      code: "application-breaks-protocol",
      object: pod,
      says: `its application speaks HTTP, and its answer to ${facts.symptom.method ?? "the request"} ${facts.symptom.path ?? ""} breaks the rules of HTTP`,
      evidence: [logged(facts), kubernetes(`asked over a forwarded port, it answers HTTP/${speaks.slice(4)}`)],
      fix: "Look at the raw answer (kubectl exec … curl -v --raw): headers that are no headers, two lengths, a body where there may be none.",
      weight: 74,
    },
  ];
}
