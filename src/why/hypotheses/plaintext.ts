import type { Facts, Guess, Hypothesis } from "../types.ts";
import { below, envoy, kubernetes, logged, madeBy, object, placeOf, refNamed, refText, refTo } from "../words.ts";

/** One side speaks TLS and the other does not. */
export const plaintext: Hypothesis = {
  name: "TLS on one side",
  codes: [
    "plaintext-to-strict",
    "tls-disabled-by-rule",
    "mtls-to-no-proxy",
    "tls-to-plaintext",
    "application-speaks-tls",
  ],
  guess: (facts) => [...atStrict(facts), ...byRule(facts), ...toPlain(facts), ...toTls(facts)],
};

/** A server that takes mutual TLS alone got something else: no chain of its listener takes the connection. */
function atStrict(facts: Facts): readonly Guess[] {
  const { symptom, proxy, model } = facts;
  if (proxy.type === "router" || symptom.details !== "filter_chain_not_found") return [];
  const port = placeOf(symptom.localAddress)?.port;
  const { mode, from } = model.peerAuthentications.effective(proxy, port);
  if (mode !== "STRICT" || from === undefined) return [];
  const path = from.path.join(".");
  return [
    {
      code: "plaintext-to-strict",
      object: from.from,
      field: path === "" ? "spec.mtls.mode" : path.endsWith("mode") ? path : `${path}.mode`,
      says: `it takes mutual TLS only on port ${port ?? "any"} of ${proxy.name}, and a caller came without`,
      evidence: [
        logged(facts),
        envoy(proxy, "a connection came that no filter chain takes"),
        object(from.from, `mutual TLS is ${mode}`),
      ],
      fix: "Give the caller a sidecar, or let the port take both: mode PERMISSIVE.",
      weight: 90,
    },
  ];
}

/** A rule turns TLS off towards a server that insists on it. */
function byRule(facts: Facts): readonly Guess[] {
  const { symptom, cluster, server, model } = facts;
  if (cluster?.direction !== "outbound" || !symptom.flags.some((flag) => ["UC", "UR", "UF"].includes(flag))) return [];
  const source = madeBy(cluster.message, facts);
  if (source?.object.startsWith("DestinationRule ") !== true) return [];
  const rule = refNamed(source.object);
  const mode = model.world.get("DestinationRule", rule.namespace, rule.name)?.spec?.trafficPolicy?.tls?.mode;
  const pod = server?.pod;
  if (mode !== "DISABLE" || pod === undefined) return [];
  const workload = { namespace: pod.metadata.namespace ?? "", labels: pod.metadata.labels ?? {} };
  const strict = model.peerAuthentications.effective(workload, server?.port);
  if (strict.mode !== "STRICT" || strict.from === undefined) return [];
  return [
    {
      code: "tls-disabled-by-rule",
      object: rule,
      field: below(source, "tls.mode"),
      says: `it turns TLS off, and ${refText(refTo({ ...pod, kind: "Pod" }))} takes mutual TLS only`,
      evidence: [
        logged(facts),
        object(rule, "tls.mode is DISABLE"),
        object(strict.from.from, `mutual TLS is STRICT on port ${server?.port}`),
      ],
      fix: "Take tls out of the rule, or set ISTIO_MUTUAL.",
      weight: 95,
    },
  ];
}

/** TLS was begun with a server that answered in plain text. */
function toPlain(facts: Facts): readonly Guess[] {
  const { symptom, cluster, server, model } = facts;
  if (!/WRONG_VERSION_NUMBER/.test(`${symptom.transportFailure ?? ""} ${symptom.details ?? ""}`)) return [];
  const source = madeBy(cluster?.message, facts);
  const rule = refNamed(source?.object ?? "");
  const mode = model.world.get("DestinationRule", rule.namespace, rule.name)?.spec?.trafficPolicy?.tls?.mode;
  if (source === undefined || rule.kind !== "DestinationRule" || mode === undefined) return [];
  const pod = server?.pod;
  const hasProxy = pod !== undefined && model.workloads.proxy(pod) === "yes";
  const isMutual = mode === "ISTIO_MUTUAL";
  const where = pod === undefined ? `${server?.address}:${server?.port}` : refText(refTo({ ...pod, kind: "Pod" }));
  return [
    {
      code: isMutual ? "mtls-to-no-proxy" : "tls-to-plaintext",
      object: rule,
      field: below(source, "tls.mode"),
      says: isMutual
        ? `it wants mutual TLS of the mesh from ${where}, which has no proxy`
        : `it begins TLS (${mode}) with ${where}, which speaks plain text`,
      evidence: [
        logged(facts),
        object(rule, `tls.mode is ${mode}`),
        ...(pod === undefined ? [] : [kubernetes(`${where} ${hasProxy ? "has" : "has no"} proxy`)]),
      ],
      fix: isMutual
        ? "Take tls out of the rule: the mesh finds out who takes mutual TLS. Or give the pod a sidecar."
        : "Take tls out of the rule, or name the port that speaks TLS.",
      weight: isMutual && hasProxy ? 60 : 93,
    },
  ];
}

/** Plain text went to a port that speaks TLS. */
function toTls(facts: Facts): readonly Guess[] {
  const { symptom, cluster, server, model } = facts;
  const closed = symptom.flags.includes("UC") || /protocol_error/.test(symptom.details ?? "");
  const pod = server?.pod;
  if (!closed || cluster?.direction !== "outbound" || server === undefined || server.proxy !== undefined) return [];
  const service = cluster.service?.from;
  if (service?.kind !== "Service") return [];
  const index = (model.world.get("Service", service.namespace, service.name)?.spec?.ports ?? []).findIndex(
    ({ port }) => port === cluster.port,
  );
  if (server.speaks !== "tls") return [];
  return [
    {
      code: "application-speaks-tls",
      object: refTo({ kind: "Service", metadata: service }),
      field: `spec.ports[${Math.max(0, index)}]`,
      says: `its port ${cluster.port} is declared plain, and port ${server.port} behind it closes what does not begin TLS`,
      evidence: [
        logged(facts),
        envoy(facts.proxy, `${server.address}:${server.port} closed the connection before it answered`),
        kubernetes(
          `port ${server.port} of ${pod === undefined ? server.address : refText(refTo({ ...pod, kind: "Pod" }))} answers a TLS handshake`,
        ),
      ],
      fix: "Name the port https-…, or begin TLS by a DestinationRule with tls.mode SIMPLE.",
      weight: 93,
    },
  ];
}
