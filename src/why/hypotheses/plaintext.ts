import type { ObjectRef } from "../../ir/refs.ts";
import type { Pod } from "../../resources/core.ts";
import type { Facts, Guess, Hypothesis } from "../types.ts";
import {
  envoy,
  failureText,
  flagged,
  kubernetes,
  logged,
  object,
  placeOf,
  podRef,
  refText,
  ruleOf,
  serviceRef,
} from "../words.ts";

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
  const { symptom, server } = facts;
  const rule = flagged(symptom, "UC", "UR", "UF") ? ruleOf(facts) : undefined;
  const pod = server?.pod;
  if (rule?.policy.tls?.mode !== "DISABLE" || pod === undefined) return [];
  const strict = strictAt(facts, pod);
  if (strict === undefined) return [];
  return [
    {
      code: "tls-disabled-by-rule",
      object: rule.ref,
      field: rule.path("tls.mode"),
      says: `it turns TLS off, and ${refText(podRef(pod))} takes mutual TLS only`,
      evidence: [
        logged(facts),
        object(rule.ref, "tls.mode is DISABLE"),
        object(strict, `mutual TLS is STRICT on port ${server?.port}`),
      ],
      fix: "Take tls out of the rule, or set ISTIO_MUTUAL.",
      weight: 95,
    },
  ];
}

/** The policy that lets a pod take mutual TLS only at the port of the request. */
function strictAt({ model, server }: Facts, { metadata }: Pod): ObjectRef | undefined {
  const { namespace = "", labels = {} } = metadata;
  const { mode, from } = model.peerAuthentications.effective({ namespace, labels }, server?.port);
  return mode === "STRICT" ? from?.from : undefined;
}

/** TLS was begun with a server that answered in plain text. */
function toPlain(facts: Facts): readonly Guess[] {
  const { symptom } = facts;
  const rule = failureText(symptom).includes("WRONG_VERSION_NUMBER") ? ruleOf(facts) : undefined;
  const mode = rule?.policy.tls?.mode;
  if (rule === undefined || mode === undefined) return [];
  const { where, proxied, said } = otherEnd(facts);
  const evidence = [logged(facts), object(rule.ref, `tls.mode is ${mode}`), ...said];
  const common = { object: rule.ref, field: rule.path("tls.mode"), evidence };
  if (mode === "ISTIO_MUTUAL")
    return [
      {
        ...common,
        code: "mtls-to-no-proxy",
        says: `it wants mutual TLS of the mesh from ${where}, which has no proxy`,
        fix: "Take tls out of the rule: the mesh finds out who takes mutual TLS. Or give the pod a sidecar.",
        weight: proxied === "yes" ? 60 : 93,
      },
    ];
  return [
    {
      ...common,
      code: "tls-to-plaintext",
      says: `it begins TLS (${mode}) with ${where}, which speaks plain text`,
      fix: "Take tls out of the rule, or name the port that speaks TLS.",
      weight: 93,
    },
  ];
}

/** Who was asked, and whether it has a proxy. */
function otherEnd({ server, model }: Facts) {
  const pod = server?.pod;
  if (pod === undefined) return { where: `${server?.address}:${server?.port}`, proxied: "unknown", said: [] };
  const where = refText(podRef(pod));
  const proxied = model.workloads.proxy(pod);
  return { where, proxied, said: [kubernetes(`${where} ${proxied === "yes" ? "has" : "has no"} proxy`)] };
}

/** Plain text went to a port that speaks TLS. */
function toTls(facts: Facts): readonly Guess[] {
  const { symptom, cluster, server } = facts;
  const closed = flagged(symptom, "UC") || failureText(symptom).includes("protocol_error");
  const service = serviceRef(facts);
  if (!closed || server?.speaks !== "tls" || server.proxy !== undefined || service?.kind !== "Service") return [];
  const port = cluster?.port;
  const where = server.pod === undefined ? server.address : refText(podRef(server.pod));
  return [
    {
      code: "application-speaks-tls",
      object: service,
      field: `spec.ports[${portIndex(facts, service, port)}]`,
      says: `its port ${port} is declared plain, and port ${server.port} behind it closes what does not begin TLS`,
      evidence: [
        logged(facts),
        envoy(facts.proxy, `${server.address}:${server.port} closed the connection before it answered`),
        kubernetes(`port ${server.port} of ${where} answers a TLS handshake`),
      ],
      fix: "Name the port https-…, or begin TLS by a DestinationRule with tls.mode SIMPLE.",
      weight: 93,
    },
  ];
}

function portIndex({ model }: Facts, { namespace, name }: ObjectRef, port: number | undefined): number {
  const ports = model.world.get("Service", namespace, name)?.spec?.ports ?? [];
  return Math.max(
    0,
    ports.findIndex((one) => one.port === port),
  );
}
