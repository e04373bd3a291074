import type { Pod } from "../../resources/core.ts";
import type { Evidence, Facts, Guess, Hypothesis } from "../types.ts";
import { envoy, kubernetes, logged, object, podRef, refText, refTo, some } from "../words.ts";

const REFUSED = /connection.refused|connect_error:.*(111|refused)|Connection_refused/i;

/** The connection is refused (flag UF): a wrong target port, an application at its loopback address alone, or none. */
export const refused: Hypothesis = {
  name: "connection refused",
  codes: ["wrong-target-port", "listens-on-loopback", "application-not-listening", "endpoint-refuses"],
  guess(facts) {
    const { symptom, server } = facts;
    if (server === undefined || !REFUSED.test(`${symptom.transportFailure ?? ""} ${symptom.details ?? ""}`)) return [];
    const isInbound = facts.cluster?.direction === "inbound";
    const pod = isInbound ? facts.model.world.get("Pod", facts.proxy.pod.namespace, facts.proxy.pod.name) : server.pod;
    return pod === undefined
      ? outside(facts)
      : atPod(facts, pod, isInbound ? (facts.cluster?.port ?? server.port) : server.port);
  },
};

function atPod(facts: Facts, pod: Pod, port: number): readonly Guess[] {
  const { server } = facts;
  const ref = podRef(pod);
  const evidence = [logged(facts), envoy(facts.proxy, `${server?.address}:${server?.port} refuses the connection`)];
  const { speaks } = server ?? {};
  if (speaks !== undefined && speaks !== "refused")
    return [
      {
        code: "listens-on-loopback",
        object: ref,
        says: `its application listens on port ${port} of 127.0.0.1 only, where no other pod reaches it`,
        evidence: [
          ...evidence,
          kubernetes(`a connection forwarded to port ${port} of the pod's own loopback address is taken`),
        ],
        fix: "Let it listen on 0.0.0.0, or on the pod's address.",
        weight: 94,
      },
    ];
  const wrong = wrongTargets(facts, { pod, port }, evidence);
  return wrong.length > 0 ? wrong : [notListening(facts, { pod, port }, evidence)];
}

interface PodPort {
  readonly pod: Pod;
  readonly port: number;
}

function wrongTargets(facts: Facts, { pod, port }: PodPort, evidence: readonly Evidence[]): readonly Guess[] {
  const ref = podRef(pod);
  const declared = facts.model.pods.ports(ref.namespace, ref.name).map(({ number }) => number);
  if (declared.length === 0 || declared.includes(port)) return [];
  const [first] = declared;
  const right = declared.length === 1 ? String(first) : "the port on which the application listens";
  return servicesOf(facts, { pod, port }).map(({ service, index, said }) => ({
    code: "wrong-target-port",
    object: refTo({ ...service, kind: "Service" }),
    field: `spec.ports[${index}].targetPort`,
    says: `it sends to port ${said} of its pods, whose containers declare ${some(declared.map(String))}`,
    evidence: [...evidence, object(ref, `its containers declare ${some(declared.map(String))}`)],
    fix: `Set targetPort to ${right}.`,
    weight: 92,
  }));
}

function notListening({ server, cluster }: Facts, { pod, port }: PodPort, evidence: readonly Evidence[]): Guess {
  const isSure = server?.speaks === "refused";
  const probed = isSure ? [kubernetes(`port ${port} is refused at the pod's own loopback address too`)] : [];
  return {
    code: "application-not-listening",
    object: podRef(pod),
    says: `no process listens on port ${port}`,
    evidence: [...evidence, ...probed],
    fix: `Look whether the application runs, and on which port; Service port ${cluster?.port ?? port} leads there.`,
    weight: isSure ? 88 : 70,
  };
}

function servicesOf({ cluster: asked, model }: Facts, { pod, port }: PodPort) {
  const { namespace = "", labels = {} } = pod.metadata;
  const named = asked?.service?.from;
  const services =
    named === undefined
      ? model.serviceSelection.selecting(namespace, labels)
      : [model.world.get("Service", named.namespace, named.name)].flatMap((service) => service ?? []);
  return services.flatMap((service) =>
    (service.spec?.ports ?? []).flatMap((one, index) => {
      const target = one.targetPort ?? one.port;
      const fits = target === port || typeof target === "string";
      return fits && (asked?.direction !== "outbound" || one.port === asked.port)
        ? [{ service, index, said: String(target) }]
        : [];
    }),
  );
}

/** What somebody wrote down as an address. */
function outside(facts: Facts): readonly Guess[] {
  const { model, server, cluster } = facts;
  const from = cluster?.service?.from;
  if (server === undefined || from?.kind !== "ServiceEntry") return [];
  const evidence = [logged(facts), envoy(facts.proxy, `${server.address}:${server.port} refuses the connection`)];
  const common = {
    code: "endpoint-refuses",
    evidence,
    says: `nobody takes connections at ${server.address}:${server.port}`,
    fix: "Correct the address or port, or start what is to listen there.",
    weight: 90,
  };
  const machine = model.world
    .list("WorkloadEntry", from.namespace)
    .find(({ spec }) => spec?.address === server.address);
  const entry = refTo({ kind: "ServiceEntry", metadata: from });
  if (machine !== undefined)
    return [
      {
        ...common,
        object: refTo(machine),
        field: "spec.address",
        evidence: [...evidence, object(entry, `it selects ${refText(refTo(machine))}`)],
      },
    ];
  const endpoints = model.world.get("ServiceEntry", from.namespace, from.name)?.spec?.endpoints ?? [];
  const index = endpoints.findIndex(({ address }) => address === server.address);
  return [{ ...common, object: entry, field: index < 0 ? "spec.hosts" : `spec.endpoints[${index}]` }];
}
