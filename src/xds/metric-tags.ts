import { LATEST_ENVIRONMENT, type PeerKey, peerEnvironment, peerLabel, UNKNOWN_ENVIRONMENT } from "../base/peer.ts";
import type { MetricChange } from "../ir/telemetry.ts";
import { type Messages, typed } from "../wire/codec.ts";
import { literal, orUnknown, tagFormat } from "./tag-expression.ts";
import type { ChainContext } from "./types.ts";

type Tag = Messages["envoy.extensions.access_loggers.stats.v3.Config.Tag"];
type Matcher = Messages["xds.type.matcher.v3.Matcher"];

/** What the labels depend on. */
export type MetricsContext = Pick<ChainContext, "direction" | "mutualTls" | "service" | "telemetry">;

/** Matcher input: the value of the tag that a rule stands at. Above the tables below, which are built from it. */
const TAG_VALUE = {
  name: "value",
  typed_config: typed("envoy.extensions.matching.common_inputs.stats.v3.StatTagValueInput", {}),
} as const;

/**
 * The labels of the standard metrics as tags of the stats access logger (reference/envoy-recipes.md 1.1). Own labels come
 * from the environment of Envoy, so listeners do not depend on the workload; the peer's from endpoint metadata (client)
 * or from what the network filter `istio.metadata_exchange` took from its certificate (server). A missing value is ""
 * there, never "-": `unknown` is written instead. Each stat repeats all tags and each chain all stats, so what is said
 * here is most of a listener's bytes: a rule of the tag would say the same in twice as many.
 */
export function metricTags(chain: MetricsContext, protocol: "http" | "tcp"): readonly Tag[] {
  const ends =
    chain.direction === "inbound"
      ? [
          { name: "reporter", value_format: "destination" },
          ...peerTags("source", chain.mutualTls ? fromFilterState : unknown, "DOWNSTREAM_PEER_URI_SAN"),
          ...ownTags("destination", "DOWNSTREAM_LOCAL_URI_SAN"),
          ...serviceTags(chain.service),
        ]
      : [
          { name: "reporter", value_format: "source" },
          ...ownTags("source", "UPSTREAM_LOCAL_URI_SAN"),
          ...peerTags("destination", fromEndpoint, "UPSTREAM_PEER_URI_SAN"),
          ...CLUSTER_SERVICE_TAGS,
        ];
  return [...ends, ...(protocol === "http" ? HTTP_TAGS : TCP_TAGS), policyTag(chain)];
}

/** The labels of a metric that is told otherwise: others in their place, without some, and further ones at the end. */
export function changedTags(tags: readonly Tag[], change: MetricChange | undefined): readonly Tag[] {
  if (change === undefined || change === "off") return tags;
  const set = new Map(
    Object.entries(change.tags).map(([name, value]) => [name, value === null ? undefined : tagFormat(value)]),
  );
  const known = tags.flatMap((tag): readonly Tag[] => {
    if (tag.name === undefined || !set.has(tag.name)) return [tag];
    const value_format = set.get(tag.name);
    set.delete(tag.name);
    return value_format === undefined ? [] : [{ name: tag.name, value_format }];
  });
  const added = [...set].flatMap(([name, value_format]) =>
    value_format === undefined ? [] : [{ name, value_format }],
  );
  return [...known, ...added];
}

type Side = "source" | "destination";

/** Label name of each peer key, in Istio's order of labels. */
const PEER_TAGS: readonly (readonly [PeerKey, string])[] = [
  ["workload", "workload"],
  ["canonical", "canonical_service"],
  ["revision", "canonical_revision"],
  ["ns", "workload_namespace"],
  ["app", "app"],
  ["version", "version"],
  ["cluster", "cluster"],
];

function ownTags(side: Side, principal: string): Tag[] {
  const tags = PEER_TAGS.map(([key, label]) => ({
    name: `${side}_${label}`,
    value_format: `%ENVIRONMENT(${peerEnvironment(key)})%`,
  }));
  return withPrincipal(side, tags, principal);
}

function peerTags(side: Side, from: (key: PeerKey) => string, principal: string): Tag[] {
  const tags = PEER_TAGS.map(([key, label]) => ({ name: `${side}_${label}`, value_format: from(key) }));
  return withPrincipal(side, tags, principal);
}

/** The principal stands after the namespace. */
function withPrincipal(side: Side, tags: readonly Tag[], command: string): Tag[] {
  return [...tags.slice(0, 4), { name: `${side}_principal`, value_format: orUnknown(command) }, ...tags.slice(4)];
}

function fromEndpoint(key: PeerKey): string {
  const missing = key === "revision" ? LATEST_ENVIRONMENT : UNKNOWN_ENVIRONMENT;
  return orUnknown({ command: "METADATA", param: `UPSTREAM_HOST:istio.peer:${key}` }, missing);
}

/** Of a chain without certificates: nothing is known of the peer. */
function unknown(key: PeerKey): string {
  return peerLabel(key, undefined);
}

/** Never empty: the filter that sets it begins with `unknown`. */
function fromFilterState(key: PeerKey): string {
  return `%FILTER_STATE(${peerStateKey(key)}:PLAIN)%`;
}

/** The filter state object that holds one label of the downstream peer. */
export function peerStateKey(key: PeerKey): string {
  return `istio.peer.${key}`;
}

const CLUSTER_SERVICE_TAGS: readonly Tag[] = [
  { name: "destination_service", value_format: fromCluster("host") },
  { name: "destination_service_name", value_format: fromCluster("name") },
  { name: "destination_service_namespace", value_format: fromCluster("namespace") },
];

function fromCluster(key: string): string {
  return orUnknown({ command: "METADATA", param: `CLUSTER:istio.svc:${key}` });
}

/** One inbound chain serves one service port: its service is a constant. */
function serviceTags(service: ChainContext["service"]): readonly Tag[] {
  return [
    { name: "destination_service", value_format: literal(service?.host ?? "unknown") },
    { name: "destination_service_name", value_format: literal(service?.name ?? "unknown") },
    { name: "destination_service_namespace", value_format: literal(service?.namespace ?? "unknown") },
  ];
}

const HTTP_TAGS: readonly Tag[] = [
  {
    name: "request_protocol",
    value_format: "%REQ(content-type)%",
    rules: { ...onValue({ prefix: "application/grpc" }, "grpc"), on_no_match: { action: become("http") } },
  },
  { name: "response_code", value_format: "%RESPONSE_CODE%" },
  { name: "grpc_response_status", value_format: "%GRPC_STATUS_NUMBER%" },
  { name: "response_flags", value_format: "%RESPONSE_FLAGS%" },
];

const TCP_TAGS: readonly Tag[] = [
  { name: "request_protocol", value_format: "tcp" },
  { name: "response_flags", value_format: "%RESPONSE_FLAGS%" },
];

/** A client cannot tell from here; a server knows by the chain. */
function policyTag(chain: MetricsContext): Tag {
  const policy = chain.direction === "inbound" ? (chain.mutualTls ? "mutual_tls" : "none") : "unknown";
  return { name: "connection_security_policy", value_format: policy };
}

function onValue(match: Messages["xds.type.matcher.v3.StringMatcher"], to: string): Matcher {
  return {
    matcher_list: {
      matchers: [
        {
          predicate: { single_predicate: { input: TAG_VALUE, value_match: match } },
          on_match: { action: become(to) },
        },
      ],
    },
  };
}

function become(value: string): Messages["xds.core.v3.TypedExtensionConfig"] {
  return {
    name: "become",
    typed_config: typed("envoy.extensions.matching.actions.transform_stat.v3.TransformStat", {
      update_tag: { new_tag_value: value },
    }),
  };
}
