import { hostMatches, resolveHost } from "../../model/host.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import type { Facts, Guess, Hypothesis } from "../types.ts";
import { envoy, hostOf, logged, madeBy, object, placeOf, refNamed, refText, refTo, some } from "../words.ts";

/** No route takes the request (404, flag NR): no match of a rule, or at a gateway no rule, no host, no delegate. */
export const noRoute: Hypothesis = {
  name: "no route",
  codes: ["no-route-matches", "host-not-at-gateway", "not-bound-to-gateway", "no-virtual-service", "missing-delegate"],
  guess(facts) {
    const { symptom, proxy } = facts;
    if (!symptom.flags.includes("NR") || symptom.details !== "route_not_found") return [];
    const delegates = missingDelegates(facts);
    if (delegates.length > 0) return delegates;
    const missed = unmatched(facts);
    return proxy.type === "router" ? [...missed, ...atGateway(facts)] : missed;
  },
};

type VirtualService = KindTypes["VirtualService"];

function rulesOf({ model }: Facts, host: string): readonly VirtualService[] {
  return model.world
    .list("VirtualService")
    .filter(({ metadata, spec }) =>
      (spec?.hosts ?? []).some((one) => hostMatches(resolveHost(one, metadata.namespace ?? "", model.domain), host)),
    );
}

/** The virtual host is there, and its routes all ask for something else. */
function unmatched(facts: Facts): readonly Guess[] {
  const { way, symptom, proxy } = facts;
  const host = way?.chosen.host;
  if (host === undefined || (host.routes ?? []).length === 0) return [];
  const sources = new Set((host.routes ?? []).map((route) => madeBy(route, facts)?.object ?? ""));
  return [...sources]
    .filter((text) => /^(VirtualService|HTTPRoute|GRPCRoute|Ingress) /.test(text))
    .map((text) => {
      const misses = (way?.chosen.routesRejected ?? []).map(
        ({ miss }) => `${miss.condition} ${miss.got ?? "missing"}, wanted ${miss.wanted}`,
      );
      const from = refNamed(text);
      return {
        code: "no-route-matches",
        object: from,
        field: from.kind === "VirtualService" ? "spec.http" : "spec.rules",
        says: `none of its matches takes ${symptom.method ?? "the request"} ${symptom.path ?? ""}`,
        evidence: [
          logged(facts),
          envoy(
            proxy,
            `virtual host ${host.name ?? ""} has ${(host.routes ?? []).length} routes: ${some([...new Set(misses)])}`,
          ),
        ],
        fix: "Add a match that takes the request, or a last rule without match.",
        weight: 92,
      };
    });
}

function missingDelegates(facts: Facts): readonly Guess[] {
  const { symptom, model } = facts;
  return rulesOf(facts, hostOf(symptom.authority)).flatMap((rule) =>
    (rule.spec?.http ?? []).flatMap(({ delegate }, index): Guess[] => {
      if (delegate === undefined) return [];
      const namespace = delegate.namespace ?? rule.metadata.namespace ?? "";
      if (model.world.get("VirtualService", namespace, delegate.name ?? "") !== undefined) return [];
      const says = `it hands requests to VirtualService ${namespace}/${delegate.name ?? ""}, which is not there`;
      return [
        {
          code: "missing-delegate",
          object: refTo(rule),
          field: `spec.http[${index}].delegate`,
          says,
          evidence: [logged(facts), { from: "configuration", says: "the rule makes no route without its delegate" }],
          fix: "Create the delegate, or name one that is there.",
          weight: 95,
        },
      ];
    }),
  );
}

/** Which Gateways of the pod listen where the request came in. */
function gatewaysAt({
  model,
  proxy,
  symptom,
}: Facts): readonly { readonly gateway: KindTypes["Gateway"]; readonly index: number }[] {
  const port = placeOf(symptom.localAddress)?.port;
  const pod = { namespace: proxy.namespace, labels: proxy.labels };
  return model.gateways
    .selecting(proxy.labels)
    .flatMap((gateway) =>
      (gateway.spec?.servers ?? []).flatMap(({ port: asked }, index) =>
        asked?.number !== undefined &&
        (port === undefined || listens(model.gateways.listenPort(pod, asked.number), port))
          ? [{ gateway, index }]
          : [],
      ),
    );
}

/** Explicit addresses bind a number of their own for ports below 1024. */
function listens(port: number, seen: number): boolean {
  return port === seen || (port < 1024 && seen === port + 20_000);
}

function atGateway(facts: Facts): readonly Guess[] {
  const host = hostOf(facts.symptom.authority);
  const all = gatewaysAt(facts);
  const serving = all.filter(({ gateway, index }) => servesHost(gateway, index, host));
  const rules = rulesOf(facts, host);
  const names = new Set(all.map(({ gateway }) => `${gateway.metadata.namespace}/${gateway.metadata.name}`));
  const bound = rules.filter((rule) => gatewaysOf(rule).some((name) => names.has(name)));
  const log = logged(facts);
  if (serving.length > 0 && rules.length === 0)
    return serving.slice(0, 1).map(({ gateway }) => ({
      code: "no-virtual-service",
      object: refTo(gateway),
      says: `it takes requests for ${host}, and no VirtualService or HTTPRoute says where they go`,
      evidence: [log, object(refTo(gateway), `its servers take ${host}`)],
      fix: `Write a VirtualService with host ${host} and gateway ${gateway.metadata.namespace}/${gateway.metadata.name}.`,
      weight: 90,
    }));
  if (serving.length > 0 && bound.length === 0)
    return rules.map((rule) => ({
      code: "not-bound-to-gateway",
      object: refTo(rule),
      field: "spec.gateways",
      says: `it has rules for ${host}, and is bound to ${some(gatewaysOf(rule))}, which this gateway's pods do not serve the host by`,
      evidence: [log, ...serving.map(({ gateway }) => object(refTo(gateway), `its servers take ${host}`))],
      fix: `Add ${serving.map(({ gateway }) => `${gateway.metadata.namespace}/${gateway.metadata.name}`)[0] ?? ""} to its gateways.`,
      weight: 90,
    }));
  const wanted = all.filter(({ gateway }) =>
    bound.some((rule) => gatewaysOf(rule).includes(`${gateway.metadata.namespace}/${gateway.metadata.name}`)),
  );
  if (serving.length === 0 && wanted.length > 0)
    return wanted.map(({ gateway, index }) => ({
      code: "host-not-at-gateway",
      object: refTo(gateway),
      field: `spec.servers[${index}].hosts`,
      says: `${some(bound.map((rule) => refText(refTo(rule))))} has rules for ${host}, and the Gateway's server takes ${some(gateway.spec?.servers?.[index]?.hosts ?? [])}`,
      evidence: [log, object(refTo(gateway), `its server takes ${some(gateway.spec?.servers?.[index]?.hosts ?? [])}`)],
      fix: `Add ${host} to the hosts of the server.`,
      weight: 90,
    }));
  return serving.length === 0 && all.length > 0 ? [nobodyServes(facts, host, all[0]?.gateway)] : [];
}

function nobodyServes(facts: Facts, host: string, gateway: KindTypes["Gateway"] | undefined): Guess {
  return {
    code: "host-not-at-gateway",
    object: gateway === undefined ? facts.proxy.pod : refTo(gateway),
    field: "spec.servers",
    says: `no server of the gateway takes ${host}`,
    evidence: [logged(facts)],
    fix: `Add ${host} to the hosts of a server, and a VirtualService for it.`,
    weight: 50,
  };
}

function servesHost(gateway: KindTypes["Gateway"], index: number, host: string): boolean {
  return (gateway.spec?.servers?.[index]?.hosts ?? []).some((entry) =>
    hostMatches(entry.slice(entry.indexOf("/") + 1), host),
  );
}

/** `namespace/name` of the gateways of a VirtualService. */
function gatewaysOf({ metadata, spec }: VirtualService): readonly string[] {
  return (spec?.gateways ?? ["mesh"]).map((name) =>
    name === "mesh" || name.includes("/") ? name : `${metadata.namespace ?? ""}/${name}`,
  );
}
