import { hostMatches } from "../../model/host.ts";
import type { MeshService } from "../../ir/service.ts";
import { visibleTo } from "../../model/visibility.ts";
import type { Facts, Guess, Hypothesis } from "../types.ts";
import { envoy, hostOf, logged, madeBy, object, placeOf, refNamed, refTo, some } from "../words.ts";

/** The caller does not see the host: it is not exported to it, its Sidecar leaves it out, or nothing in the mesh has it. */
export const notSeen: Hypothesis = {
  name: "not seen",
  codes: ["not-exported", "hidden-by-sidecar", "not-in-registry", "no-such-port"],
  guess(facts) {
    const { symptom, proxy, model } = facts;
    if (proxy.type === "router" || !isElsewhere(facts)) return [];
    const host = hostOf(symptom.authority ?? symptom.serverName);
    const local = placeOf(symptom.localAddress);
    const services = model.services
      .all()
      .filter(({ hostname, addresses }) =>
        host === "" ? addresses.includes(local?.address ?? "") : hostMatches(hostname, full(facts, host)),
      );
    const log = [logged(facts), envoy(proxy, `it went to ${goneTo(facts)}, not to a cluster of the mesh`)];
    if (services.length === 0) return unknown(facts, host, log);
    return services.flatMap((service) => hidden(facts, service, log));
  },
};

/** Whether the request was taken by what stands for all that is not in the mesh. */
function isElsewhere({ symptom: { upstreamCluster = "", routeName = "" } }: Facts): boolean {
  return (
    ["BlackHoleCluster", "PassthroughCluster"].includes(upstreamCluster) || /^(block_all|allow_any)$/.test(routeName)
  );
}

function goneTo({ symptom: { upstreamCluster, routeName } }: Facts): string {
  return upstreamCluster ?? `route ${routeName ?? ""}`;
}

/** As DNS of the pod's namespace completes a host. */
function full({ model, proxy }: Facts, host: string): string {
  const { domain } = model;
  const names = [`${host}.${proxy.namespace}.svc.${domain}`, `${host}.svc.${domain}`, `${host}.${domain}`];
  return names.find((name) => model.services.all().some(({ hostname }) => hostname === name)) ?? host;
}

type Common = Pick<Guess, "evidence">["evidence"];

function hidden(facts: Facts, service: MeshService, evidence: Common): readonly Guess[] {
  const { model, proxy } = facts;
  const from = refTo({ kind: service.from.kind, metadata: service.from });
  const fallback = model.meshConfig().defaultServiceExportTo;
  if (!visibleTo(service.exportTo, service.namespace, proxy.namespace, fallback))
    return [
      {
        code: "not-exported",
        object: from,
        field: from.kind === "Service" ? 'metadata.annotations["networking.istio.io/exportTo"]' : "spec.exportTo",
        says: `it is exported to ${some(service.exportTo.length === 0 ? fallback : service.exportTo)}, not to namespace ${proxy.namespace} of the caller`,
        evidence,
        fix: `Add ${proxy.namespace} to what it is exported to.`,
        weight: 92,
      },
    ];
  const sidecar = model.sidecars.of(proxy);
  if (
    sidecar !== undefined &&
    !model.sidecars.imports(sidecar, proxy.namespace, { name: service.hostname, namespace: service.namespace })
  )
    return [
      {
        code: "hidden-by-sidecar",
        object: refTo(sidecar),
        field: "spec.egress[0].hosts",
        says: `its egress hosts do not have ${service.namespace}/${service.hostname}, so the caller's proxy knows nothing of it`,
        evidence: [
          ...evidence,
          object(refTo(sidecar), `its hosts are ${some((sidecar.spec?.egress ?? []).flatMap(({ hosts }) => hosts))}`),
        ],
        fix: `Add ${service.namespace}/${service.hostname} to the hosts of an egress listener.`,
        weight: 92,
      },
    ];
  const port = portOf(facts);
  if (port === undefined || service.ports.some(({ number }) => number === port)) return [];
  return [
    {
      code: "no-such-port",
      object: from,
      field: from.kind === "Service" ? "spec.ports" : "spec.ports",
      says: `it has no port ${port}, only ${some(service.ports.map(({ number }) => String(number)))}`,
      evidence,
      fix: "Ask for one of its ports, or add the port.",
      weight: 85,
    },
  ];
}

function portOf({ symptom }: Facts): number | undefined {
  const written = /:(\d+)$/.exec(symptom.authority ?? "")?.[1];
  return written === undefined ? placeOf(symptom.localAddress)?.port : Number(written);
}

/** Nothing in the mesh has the host: what decides is whether the caller may leave the mesh. */
function unknown(facts: Facts, host: string, evidence: Common): readonly Guess[] {
  const { symptom } = facts;
  const blocked = symptom.upstreamCluster === "BlackHoleCluster" || symptom.routeName === "block_all";
  if (!blocked || host === "") return [];
  return [
    {
      ...policyOf(facts),
      code: "not-in-registry",
      says: `no Service or ServiceEntry has host ${host}, and the proxy lets out only what one has (REGISTRY_ONLY)`,
      evidence,
      fix: `Write a ServiceEntry for ${host}.`,
      weight: 88,
    },
  ];
}

/** Where it is said that the caller may not leave the mesh. */
function policyOf(facts: Facts): Pick<Guess, "object" | "field"> {
  const { model, proxy, way } = facts;
  const sidecar = model.sidecars.of(proxy);
  if (sidecar?.spec?.outboundTrafficPolicy?.mode === "REGISTRY_ONLY")
    return { object: refTo(sidecar), field: "spec.outboundTrafficPolicy.mode" };
  const source = madeBy(way?.chosen.route, facts);
  return {
    object: refNamed(source?.object ?? `ConfigMap ${model.rootNamespace}/istio`),
    field: source?.field ?? "data.mesh.outboundTrafficPolicy",
  };
}
