import type { Facts, Guess, Hypothesis } from "../types.ts";
import { below, envoy, logged, madeBy, object, refNamed } from "../words.ts";

/** An answer came too late for the route (flag UT), or no connection was made in time. */
export const timeouts: Hypothesis = {
  name: "timeouts",
  codes: ["route-timeout", "per-try-timeout", "connect-timeout"],
  guess(facts) {
    const { symptom } = facts;
    const details = symptom.details ?? "";
    if (/connection_timeout|Connection timed out|connect_timeout/i.test(`${symptom.transportFailure ?? ""} ${details}`))
      return connect(facts);
    if (!symptom.flags.includes("UT")) return [];
    if (details === "upstream_per_try_timeout") return late(facts, "per-try-timeout");
    return late(facts, "route-timeout");
  },
};

function late(facts: Facts, code: "route-timeout" | "per-try-timeout"): readonly Guess[] {
  const { way, symptom, server, proxy, behind } = facts;
  const route = way?.chosen.route;
  const source = madeBy(route, facts);
  const isTry = code === "per-try-timeout";
  const limit = isTry ? route?.route?.retry_policy?.per_try_timeout : route?.route?.timeout;
  const who = server?.proxy?.name ?? server?.pod?.metadata.name ?? symptom.upstreamHost ?? "the server";
  const seen = behind?.symptom.duration;
  const evidence = [
    logged(facts),
    ...(limit === undefined ? [] : [envoy(proxy, `the route waits ${limit}${isTry ? " for each attempt" : ""}`)]),
    ...(seen === undefined
      ? []
      : [
          {
            from: `access log of ${behind?.proxy.name ?? ""}`,
            says: `after ${seen} ms there was no answer from the application`,
          },
        ]),
  ];
  if (source === undefined) return [];
  return [
    {
      code,
      object: refNamed(source.object),
      field: below(source, isTry ? "retries.perTryTimeout" : "timeout"),
      says: `it allows ${limit ?? "a time"}${isTry ? " for each attempt" : ""}, and ${who} needed longer`,
      evidence,
      fix: `Look why ${who} is slow, or allow more time.`,
      weight: 93,
    },
  ];
}

function connect(facts: Facts): readonly Guess[] {
  const { cluster, symptom } = facts;
  const source = madeBy(cluster?.message, facts);
  const rule = refNamed(source?.object ?? "");
  const service = cluster?.service?.from;
  if (service === undefined) return [];
  const isRule = rule.kind === "DestinationRule";
  const ref = isRule ? rule : { kind: service.kind, namespace: service.namespace, name: service.name };
  return [
    {
      code: "connect-timeout",
      object: ref,
      ...(isRule ? { field: below(source, "connectionPool.tcp.connectTimeout") } : {}),
      says: `no connection to ${symptom.upstreamHost ?? cluster?.host ?? ""} was made within ${cluster?.message?.connect_timeout ?? "the time allowed"}`,
      evidence: [logged(facts), ...(isRule ? [object(rule, "it sets how connections are made")] : [])],
      fix: "Look whether the address is reached from the pod: network policies, firewalls, a node that is gone.",
      weight: 85,
    },
  ];
}
