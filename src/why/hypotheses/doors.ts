import { hostMatches } from "../../model/host.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { selects } from "../../model/selectors.ts";
import type { Facts, Guess, Hypothesis } from "../types.ts";
import { envoy, hostOf, kubernetes, logged, object, placeOf, refText, refTo, some } from "../words.ts";

/** Nobody takes the connection at a gateway: no listener on the port, no chain for the server name, no certificate. */
export const doors: Hypothesis = {
  name: "doors of gateways",
  codes: ["gateway-selects-nothing", "missing-secret", "server-name-unknown", "port-not-at-gateway"],
  guess(facts) {
    const { symptom, proxy } = facts;
    if (proxy.type !== "router") return [];
    if (symptom.details === "no_listener") return [...secrets(facts), ...unselected(facts), ...otherPorts(facts)];
    if (symptom.details === "secret_not_ready") return secrets(facts);
    if (symptom.details === "filter_chain_not_found") return [...secrets(facts), ...names(facts)];
    return [];
  },
};

type Gateway = KindTypes["Gateway"];
interface At {
  readonly gateway: Gateway;
  readonly index: number;
}

/** Servers of Gateways for a port, whoever runs them. */
function serversAt({ model, proxy, symptom }: Facts, wanted: (gateway: Gateway) => boolean): readonly At[] {
  const place = placeOf(symptom.localAddress)?.port ?? 0;
  const pod = { namespace: proxy.namespace, labels: proxy.labels };
  const isHere = (port: number): boolean => {
    const listen = model.gateways.listenPort(pod, port);
    return [port, listen].some((own) => own === place || own + 20_000 === place);
  };
  return model.world
    .list("Gateway")
    .filter(wanted)
    .flatMap((gateway) =>
      (gateway.spec?.servers ?? []).flatMap(({ port }, index) =>
        port?.number !== undefined && isHere(port.number) ? [{ gateway, index }] : [],
      ),
    );
}

function isOf({ proxy }: Facts, { spec }: Gateway): boolean {
  const selector = spec?.selector ?? {};
  return Object.keys(selector).length > 0 && selects(selector, proxy.labels);
}

function unselected(facts: Facts): readonly Guess[] {
  const { model, proxy } = facts;
  const found = serversAt(facts, (gateway) => !isOf(facts, gateway));
  return found.map(({ gateway }) => {
    const selector = Object.entries(gateway.spec?.selector ?? {}).map((pair) => pair.join("="));
    const any = model.world.list("Pod").some((pod) => selects(gateway.spec?.selector ?? {}, pod.metadata.labels ?? {}));
    return {
      code: "gateway-selects-nothing",
      object: refTo(gateway),
      field: "spec.selector",
      says: any
        ? `it is for pods with ${some(selector)}, which ${proxy.name} is not`
        : `no pod has the labels ${some(selector)} that it selects`,
      evidence: [
        logged(facts),
        envoy(proxy, "no listener is there"),
        kubernetes(`${refText(proxy.pod)} has ${some(Object.entries(proxy.labels).map((pair) => pair.join("=")))}`),
      ],
      fix: "Let the selector name labels of the gateway's pods.",
      weight: any ? 75 : 92,
    };
  });
}

/** No Gateway has a server on the port; those for the host are on others. */
function otherPorts(facts: Facts): readonly Guess[] {
  const { model, proxy, symptom } = facts;
  if (serversAt(facts, () => true).length > 0) return [];
  const own = model.gateways.selecting(proxy.labels);
  const host = hostOf(symptom.authority ?? symptom.serverName);
  const takes = (gateway: Gateway): boolean =>
    (gateway.spec?.servers ?? []).some(({ hosts }) =>
      hosts.some((one) => hostMatches(one.slice(one.indexOf("/") + 1), host)),
    );
  const forHost = own.filter(takes);
  const asked = placeOf(symptom.localAddress)?.port ?? "the port";
  return (forHost.length > 0 ? forHost : own).slice(0, 3).map((gateway) => {
    const ports = (gateway.spec?.servers ?? []).flatMap(({ port }) => port?.number ?? []).map(String);
    return {
      code: "port-not-at-gateway",
      object: refTo(gateway),
      field: "spec.servers",
      says: `its servers are on ${ports.length === 1 ? "port" : "ports"} ${some(ports)}, and no Gateway has one on the port that is asked`,
      evidence: [
        logged(facts),
        envoy(proxy, `nothing listens on ${asked}`),
        object(refTo(gateway), `ports ${some(ports)}`),
      ],
      fix: "Add a server with the port (the gateway's Service needs it too), or ask for one of its ports.",
      weight: forHost.length > 0 ? 86 : 50,
    };
  });
}

/** A server whose certificate is not there keeps its chain, or its whole listener, away. */
function secrets(facts: Facts): readonly Guess[] {
  const { model, proxy, symptom } = facts;
  return serversAt(facts, (gateway) => isOf(facts, gateway)).flatMap(({ gateway, index }): Guess[] => {
    const name = credentialOf(gateway, index);
    const held = name === "" || proxy.secrets?.has(`kubernetes://${name}`) === true;
    const isThere = model.world.get("Secret", proxy.namespace, name) !== undefined;
    if (held || (isThere && symptom.details !== "secret_not_ready")) return [];
    const secret = `Secret ${proxy.namespace}/${name}`;
    const told = proxy.secrets === undefined ? [] : [envoy(proxy, `it has no certificate ${name}`)];
    return [
      {
        code: "missing-secret",
        object: refTo(gateway),
        field: `spec.servers[${index}].tls.credentialName`,
        says: isThere ? `${secret} holds no certificate that can be used` : `it names ${secret}, which is not there`,
        evidence: [logged(facts), kubernetes(isThere ? `${secret} is there` : `there is no ${secret}`), ...told],
        fix: `Create it: kubectl create secret tls ${name} -n ${proxy.namespace} --cert … --key ….`,
        weight: 93,
      },
    ];
  });
}

function credentialOf({ spec }: Gateway, index: number): string {
  return spec?.servers?.[index]?.tls?.credentialName ?? "";
}

function names(facts: Facts): readonly Guess[] {
  const { symptom, proxy } = facts;
  const asked = symptom.serverName ?? "";
  const all = serversAt(facts, (gateway) => isOf(facts, gateway));
  const hosts = (one: At): readonly string[] =>
    (one.gateway.spec?.servers?.[one.index]?.hosts ?? []).map((host) => host.slice(host.indexOf("/") + 1));
  if (all.some((one) => hosts(one).some((host) => hostMatches(host, asked)))) return [];
  return all.map((one) => ({
    code: "server-name-unknown",
    object: refTo(one.gateway),
    field: `spec.servers[${one.index}].hosts`,
    says: `the client asked for ${asked === "" ? "no server name" : asked}, and its server takes ${some(hosts(one))}`,
    evidence: [
      logged(facts),
      envoy(proxy, "no filter chain takes that server name"),
      object(refTo(one.gateway), `hosts are ${some(hosts(one))}`),
    ],
    fix: "Add the name to the hosts of the server, or let the client send another one.",
    weight: 91,
  }));
}
