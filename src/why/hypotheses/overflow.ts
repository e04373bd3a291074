import type { Facts, Guess, Hypothesis } from "../types.ts";
import { envoy, logged, object, ruleOf } from "../words.ts";

/** A limit of the connection pool is reached (flag UO): connections, waiting requests, requests, or retries. */
export const overflow: Hypothesis = {
  name: "overflow",
  codes: ["pool-overflow", "retry-overflow"],
  guess(facts) {
    const { symptom, cluster } = facts;
    if (!symptom.flags.includes("UO") || cluster === undefined) return [];
    return /overflow/.test(symptom.details ?? "") ? pool(facts) : retries(facts);
  },
};

interface Limits {
  readonly object: Guess["object"];
  readonly tcp: Readonly<Record<string, unknown>>;
  readonly http: Readonly<Record<string, unknown>>;
  readonly path: (field: string) => string;
}

function limitsOf(facts: Facts): Limits | undefined {
  const rule = ruleOf(facts);
  if (rule === undefined) return undefined;
  const { tcp, http } = rule.policy.connectionPool ?? {};
  return {
    object: rule.ref,
    tcp: (tcp ?? {}) as Readonly<Record<string, unknown>>,
    http: (http ?? {}) as Readonly<Record<string, unknown>>,
    path: (field) => rule.path(`connectionPool.${field}`),
  };
}

function counterOf({ cluster, proxy }: Facts, name: string): number {
  const escaped = (cluster?.name ?? "").replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return proxy.count(new RegExp(`^cluster\\.${escaped};?\\.(.*\\.)?${name}$`));
}

/** Which limit it was: the counter that grew, and among those it stands for the one that the rule sets. */
function pool(facts: Facts): readonly Guess[] {
  const limits = limitsOf(facts);
  if (limits === undefined) return [];
  const { symptom, proxy } = facts;
  const pending = counterOf(facts, "upstream_rq_pending_overflow");
  const connections = counterOf(facts, "upstream_cx_overflow");
  const { http, tcp } = limits;
  // Envoy counts both kinds of refused requests as pending; a request that got a host was beyond the requests
  const hadHost = symptom.upstreamHost !== undefined;
  const candidates = [
    ...(!hadHost && http["http1MaxPendingRequests"] !== undefined ? ["http.http1MaxPendingRequests"] : []),
    ...(http["http2MaxRequests"] === undefined ? [] : ["http.http2MaxRequests"]),
    ...(hadHost && http["http1MaxPendingRequests"] !== undefined ? ["http.http1MaxPendingRequests"] : []),
    ...(tcp["maxConnections"] === undefined ? [] : ["tcp.maxConnections"]),
  ];
  const evidence = [
    logged(facts),
    envoy(proxy, `the cluster refused ${pending} requests that waited, and ${connections} times a connection more`),
  ];
  return candidates.slice(0, 1).map((field) => ({
    code: "pool-overflow",
    object: limits.object,
    field: limits.path(field),
    says: `it allows ${JSON.stringify((field.startsWith("tcp.") ? tcp : http)[field.split(".")[1] ?? ""])} at a time, and there were more`,
    evidence: [...evidence, object(limits.object, `connectionPool is ${JSON.stringify({ tcp, http })}`)],
    fix: "Raise the limit, or send less at a time.",
    weight: 93,
  }));
}

function retries(facts: Facts): readonly Guess[] {
  const limits = limitsOf(facts);
  const count = counterOf(facts, "upstream_rq_retry_overflow");
  if (limits === undefined) return [];
  return [
    {
      code: "retry-overflow",
      object: limits.object,
      field: limits.path("http.maxRetries"),
      says: `it allows ${JSON.stringify(limits.http["maxRetries"] ?? 3)} retries at a time, and the request was not tried again`,
      evidence: [
        logged(facts),
        ...(count === 0 ? [] : [envoy(facts.proxy, `${count} retries of the cluster were left out`)]),
        object(limits.object, `connectionPool.http is ${JSON.stringify(limits.http)}`),
      ],
      fix: "Look why the first attempts fail; raise maxRetries when they are to be tried again.",
      weight: 90,
    },
  ];
}
