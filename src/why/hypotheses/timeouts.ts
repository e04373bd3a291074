import type { Evidence, Facts, Guess, Hypothesis } from "../types.ts";
import {
  below,
  envoy,
  failureText,
  flagged,
  logged,
  madeBy,
  object,
  refNamed,
  refTo,
  ruleOf,
  serviceRef,
} from "../words.ts";
import { patchThatSays } from "./patches.ts";

/** An answer came too late for the route (flag UT), or no connection was made in time. */
export const timeouts: Hypothesis = {
  name: "timeouts",
  codes: ["route-timeout", "per-try-timeout", "connect-timeout", "stream-timeout"],
  guess(facts) {
    const { symptom } = facts;
    if (/connection_timeout|Connection timed out|connect_timeout/i.test(failureText(symptom))) return connect(facts);
    const stream = STREAM_LIMITS.find(({ details }) => details === symptom.details);
    if (stream !== undefined) return [ofStream(facts, stream)];
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

/** A time that a connection manager allows, whatever the route: by what details it is known, and who may set it. */
interface StreamLimit {
  readonly details: string;
  /** Envoy's field, at a route or the connection manager. */
  readonly envoy: string;
  /** In the proxy's configuration. */
  readonly setting: string;
  readonly says: string;
}

const STREAM_LIMITS: readonly StreamLimit[] = [
  {
    details: "stream_idle_timeout",
    envoy: "idle_timeout",
    setting: "httpStreamIdleTimeout",
    says: "no byte went either way for longer than the time that it allows",
  },
  {
    details: "request_overall_timeout",
    envoy: "request_timeout",
    setting: "httpRequestTimeout",
    says: "the client needed longer for its request than the time that it allows",
  },
  {
    details: "request_header_timeout",
    envoy: "request_headers_timeout",
    setting: "httpRequestHeadersTimeout",
    says: "the client needed longer for its headers than the time that it allows",
  },
  {
    details: "max_duration_timeout",
    envoy: "max_stream_duration",
    setting: "httpMaxStreamDuration",
    says: "the request took longer than the time that it allows",
  },
];

function ofStream(facts: Facts, limit: StreamLimit): Guess {
  const { proxy, symptom, way } = facts;
  const waited = symptom.duration === undefined ? "a while" : `${symptom.duration} ms`;
  const route = (way?.chosen.route?.route as Readonly<Record<string, unknown>> | undefined)?.[limit.envoy];
  const told = typeof route === "string" ? [envoy(proxy, `the route has ${limit.envoy} ${route}`)] : [];
  const patch = patchThatSays(facts, (texts) => texts.some((text) => text.endsWith(limit.envoy)));
  const evidence = [logged(facts), ...told, envoy(proxy, `it gave up after ${waited}`)];
  const common = { code: "stream-timeout", says: limit.says, evidence };
  const fix = `Allow more time, or let ${serverName(facts)} send something in between.`;
  if (patch !== undefined) return { ...common, object: refTo(patch), field: "spec.configPatches", fix, weight: 90 };
  const setting = `${fix} The setting is connectionSettings.${limit.setting} of the proxy's configuration.`;
  return { ...common, ...settingOf(facts, limit), fix: setting };
}

/** Where a proxy's configuration is written: at its pod, else for the whole mesh. */
function settingOf(
  { model, proxy }: Facts,
  { setting }: StreamLimit,
): Pick<Guess, "object" | "weight"> & { readonly field: string } {
  const pod = model.world.get("Pod", proxy.pod.namespace, proxy.pod.name);
  const isOwn = pod?.metadata.annotations?.[PROXY_CONFIG]?.includes(setting) === true;
  if (isOwn) return { object: proxy.pod, field: `metadata.annotations["${PROXY_CONFIG}"]`, weight: 90 };
  const mesh = { kind: "ConfigMap", namespace: model.rootNamespace, name: "istio" };
  return { object: mesh, field: "data.mesh.defaultConfig.connectionSettings", weight: 62 };
}

const PROXY_CONFIG = "proxy.istio.io/config";

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
