import type { Evidence, Facts, Guess, Hypothesis } from "../types.ts";
import { below, envoy, failureText, flagged, logged, madeBy, object, refNamed, ruleOf, serviceRef } from "../words.ts";

/** An answer came too late for the route (flag UT), or no connection was made in time. */
export const timeouts: Hypothesis = {
  name: "timeouts",
  codes: ["route-timeout", "per-try-timeout", "connect-timeout"],
  guess(facts) {
    const { symptom } = facts;
    if (/connection_timeout|Connection timed out|connect_timeout/i.test(failureText(symptom))) return connect(facts);
    if (!flagged(symptom, "UT")) return [];
    return late(facts, symptom.details === "upstream_per_try_timeout" ? TRY : WHOLE);
  },
};

/** Which of a route's times ran out. */
interface Limit {
  readonly code: string;
  readonly field: string;
  /** `for each attempt` */
  readonly words: string;
  readonly of: (facts: Facts) => string | undefined;
}

const WHOLE: Limit = {
  code: "route-timeout",
  field: "timeout",
  words: "",
  of: ({ way }) => way?.chosen.route?.route?.timeout,
};
const TRY: Limit = {
  code: "per-try-timeout",
  field: "retries.perTryTimeout",
  words: " for each attempt",
  of: ({ way }) => way?.chosen.route?.route?.retry_policy?.per_try_timeout,
};

function late(facts: Facts, { code, field, words, of }: Limit): readonly Guess[] {
  const source = madeBy(facts.way?.chosen.route, facts);
  if (source === undefined) return [];
  const limit = of(facts);
  const who = serverName(facts);
  const told = limit === undefined ? [] : [envoy(facts.proxy, `the route waits ${limit}${words}`)];
  return [
    {
      code,
      object: refNamed(source.object),
      field: below(source, field),
      says: `it allows ${limit ?? "a time"}${words}, and ${who} needed longer`,
      evidence: [logged(facts), ...told, ...unanswered(facts)],
      fix: `Look why ${who} is slow, or allow more time.`,
      weight: 93,
    },
  ];
}

function serverName({ server, symptom }: Facts): string {
  return server?.proxy?.name ?? server?.pod?.metadata.name ?? symptom.upstreamHost ?? "the server";
}

/** What the server's proxy saw until then. */
function unanswered({ behind }: Facts): readonly Evidence[] {
  const seen = behind?.symptom.duration;
  if (behind === undefined || seen === undefined) return [];
  return [
    { from: `access log of ${behind.proxy.name}`, says: `after ${seen} ms there was no answer from the application` },
  ];
}

function connect(facts: Facts): readonly Guess[] {
  const { cluster, symptom } = facts;
  const rule = ruleOf(facts);
  const ref = rule?.ref ?? serviceRef(facts);
  if (ref === undefined || cluster === undefined) return [];
  const limit = cluster.message?.connect_timeout ?? "the time allowed";
  return [
    {
      code: "connect-timeout",
      object: ref,
      ...(rule === undefined ? {} : { field: rule.path("connectionPool.tcp.connectTimeout") }),
      says: `no connection to ${symptom.upstreamHost ?? cluster.host} was made within ${limit}`,
      evidence: [logged(facts), ...(rule === undefined ? [] : [object(rule.ref, "it sets how connections are made")])],
      fix: "Look whether the address is reached from the pod: network policies, firewalls, a node that is gone.",
      weight: 85,
    },
  ];
}
