import { STAT_NAMESPACE, STATS_SCOPE } from "../base/stats-scope.ts";
import type { AgentConfig } from "./config.ts";
import { isRecord } from "./metadata.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * A 105-byte proxy-wasm module: the exports Envoy asks for, with empty bodies. Loading any module registers the stat
 * namespace; that is its only job (reference/envoy-recipes.md 1.1).
 */
const EMPTY_MODULE =
  "AGFzbQEAAAABCQJgAX8Bf2AAAAMDAgABBQMBAAEHPwMGbWVtb3J5AgAYcHJveHlfb25fbWVtb3J5X2FsbG9jYXRlAAAXcHJveHlfYWJpX3ZlcnNpb25fMF8yXzEAAQoJAgQAQQALAgAL";

/** Registers STAT_NAMESPACE. One VM on the main thread, none per worker. */
export function statNamespaceExtension(): Json {
  const name = "istio_ns";
  return {
    name: "istio.stat_namespace",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.wasm.v3.WasmService",
      singleton: true,
      config: {
        name,
        root_id: name,
        vm_config: {
          vm_id: name,
          runtime: "envoy.wasm.runtime.v8",
          code: { local: { inline_bytes: EMPTY_MODULE } },
        },
      },
    },
  };
}

/**
 * An access logger that counts nothing but holds the shared scope, for a listener that is never replaced. Without it
 * the counters go with the last listener that used them (reference/envoy-recipes.md 1.6).
 */
export function scopePinningLogger(): Json {
  return {
    name: "istio.stats",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.access_loggers.stats.v3.Config",
      stats_scope: STATS_SCOPE,
    },
  };
}

/**
 * A part of a name that is a label: up to the `;` that we put behind what may hold dots, else up to the next dot. The outer
 * group is what leaves the name, the inner one the label's value.
 */
const PART = String.raw`(([^;]+(?=;)|[^.;]+);?\.)`;

/**
 * Which parts of the names of Envoy's own statistics are labels, under the label names that dashboards for Istio use. Envoy
 * reads these as ECMAScript expressions, so a test can try them on names that Envoy 1.40 has.
 */
export const STATS_TAGS: readonly (readonly [tag: string, regex: string])[] = [
  ["cluster_name", String.raw`^cluster\.${PART}`],
  ["tcp_prefix", String.raw`^tcp\.${PART}`],
  ["response_code", "_rq(_([1-5][0-9]{2}))$"],
  ["response_code_class", "_rq(_([1-5]xx))$"],
  ["http_conn_manager_prefix", String.raw`^(?:listener\..+?\.)?http\.${PART}`],
  ["listener_address", String.raw`^listener\.((admin|.+?_[0-9]+)\.)`],
];

const PREFIXES = ["cluster_manager", "listener_manager", "server", "cluster.xds-grpc", "wasm", STAT_NAMESPACE];
const SUFFIXES = ["rbac.allowed", "rbac.denied", "shadow_allowed", "shadow_denied"];
const REGEXES = [String.raw`vhost\..*\.route\..*`, String.raw`.*\.rbac\.policy\..*`];

/**
 * Which statistics Envoy keeps at all (each costs memory per cluster and listener), by Istio's defaults; more by
 * `proxyStatsMatcher` of the proxy configuration or the annotations `sidecar.istio.io/statsInclusion…`.
 */
export function statsConfig(
  config: Pick<AgentConfig, "proxyConfig" | "metadata"> & {
    readonly drain: Pick<AgentConfig["drain"], "exitOnZeroConnections">;
  },
): Json {
  const matcher = isRecord(config.proxyConfig["proxyStatsMatcher"]) ? config.proxyConfig["proxyStatsMatcher"] : {};
  const annotations = isRecord(config.metadata["ANNOTATIONS"]) ? config.metadata["ANNOTATIONS"] : {};
  const more = (kind: "Prefixes" | "Suffixes" | "Regexps"): readonly string[] => [
    ...strings(matcher[`inclusion${kind}`]),
    ...commaList(annotations[`sidecar.istio.io/statsInclusion${kind}`]),
  ];
  const suffixes = config.drain.exitOnZeroConnections ? [...SUFFIXES, "downstream_cx_active"] : SUFFIXES;
  return {
    use_all_default_tags: false,
    stats_tags: STATS_TAGS.map(([tag_name, regex]) => ({ tag_name, regex })),
    stats_matcher: {
      inclusion_list: {
        patterns: [
          ...unique([...PREFIXES, ...more("Prefixes")]).map((prefix) => ({ prefix })),
          ...unique([...suffixes, ...more("Suffixes")]).map((suffix) => ({ suffix })),
          ...unique([...REGEXES, ...more("Regexps")]).map((regex) => ({ safe_regex: { regex } })),
        ],
      },
    },
  };
}

function unique(list: readonly string[]): readonly string[] {
  return [...new Set(list)];
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

function commaList(value: unknown): readonly string[] {
  return typeof value === "string" ? value.split(",").filter((item) => item !== "") : [];
}
