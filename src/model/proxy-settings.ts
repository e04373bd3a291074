import { compact } from "../base/compact.ts";
import { durationMs } from "../base/duration.ts";
import type {
  CertPart,
  ConnectionSettings,
  ForwardClientCert,
  HeaderSettings,
  ProxySettings,
  TopologySettings,
} from "../ir/proxy-settings.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * What a proxy configuration (as a proxy says that it has it) asks of its listeners; undefined for nothing. Values of a wrong
 * type say nothing: the configuration was checked where it was written.
 */
export function proxySettings(config: unknown, type: "sidecar" | "router"): ProxySettings | undefined {
  const { proxyHeaders, gatewayTopology, connectionSettings, proxyMetadata } = fields(config);
  const http10 = fields(proxyMetadata)["ISTIO_META_HTTP10"] === "1" ? ({ http10: true } as const) : {};
  return orNothing({
    headers: headers(fields(proxyHeaders)),
    topology: type === "router" ? topology(fields(gatewayTopology)) : undefined,
    connections: orNothing({ ...connections(fields(connectionSettings), type), ...http10 }),
  });
}

function headers(given: Fields): HeaderSettings | undefined {
  const isOff = (name: string): false | undefined => (fields(given[name])["disabled"] === true ? false : undefined);
  const isOn = (name: string): true | undefined => (fields(given[name])["enabled"] === true ? true : undefined);
  const details = fields(given["setCurrentClientCertDetails"]);
  const parts = CERT_PARTS.flatMap((part) => (typeof details[part] === "boolean" ? [[part, details[part]]] : []));
  return orNothing({
    forwardedClientCert: oneOf(FORWARD, given["forwardedClientCert"]),
    clientCertDetails:
      parts.length === 0 ? undefined : (Object.fromEntries(parts) as HeaderSettings["clientCertDetails"]),
    requestId: isOff("requestId"),
    server: isOff("server") ?? text(fields(given["server"])["value"]),
    attemptCount: isOff("attemptCount"),
    debugHeaders: isOff("envoyDebugHeaders"),
    preserveCase: given["preserveHttp1HeaderCase"] === true ? (true as const) : undefined,
    forwardedHost: isOn("xForwardedHost"),
    forwardedPort: isOn("xForwardedPort"),
  });
}

function topology(given: Fields): TopologySettings | undefined {
  const trusted = count(given["numTrustedProxies"]);
  return orNothing({
    trustedProxies: trusted === 0 ? undefined : trusted,
    forwardClientCert: oneOf(FORWARD, given["forwardClientCertDetails"]),
    proxyProtocol: isFields(given["proxyProtocol"]) ? (true as const) : undefined,
  });
}

/** The profile EDGE is for gateways: what Envoy advises for the edge of a network, below what is set. */
const EDGE: ConnectionSettings = {
  listenerBuffer: 32_768,
  clusterBuffer: 32_768,
  idleTimeout: 3_600_000,
  streamIdleTimeout: 300_000,
  requestTimeout: 300_000,
  requestHeadersTimeout: 60_000,
  maxConcurrentStreams: 100,
  streamWindow: 65_536,
  connectionWindow: 1_048_576,
  underscores: "REJECT_REQUEST",
  mergeSlashes: true,
  escapedSlashes: "UNESCAPE_AND_REDIRECT",
};

function connections(given: Fields, type: "sidecar" | "router"): ConnectionSettings | undefined {
  const merge = given["httpMergeSlashes"];
  const own: ConnectionSettings = compact({
    listenerBuffer: count(given["listenerPerConnectionBufferLimitBytes"]),
    clusterBuffer: count(given["clusterPerConnectionBufferLimitBytes"]),
    idleTimeout: time(given["httpIdleTimeout"]),
    maxConnectionDuration: time(given["httpMaxConnectionDuration"]),
    drainTimeout: time(given["httpDrainTimeout"]),
    requestTimeout: time(given["httpRequestTimeout"]),
    requestHeadersTimeout: time(given["httpRequestHeadersTimeout"]),
    streamIdleTimeout: time(given["httpStreamIdleTimeout"]),
    maxStreamDuration: time(given["httpMaxStreamDuration"]),
    maxConcurrentStreams: count(given["httpMaxConcurrentStreams"]),
    streamWindow: count(given["http2InitialStreamWindowSize"]),
    connectionWindow: count(given["http2InitialConnectionWindowSize"]),
    underscores: oneOf(
      UNDERSCORES,
      text(given["httpHeadersWithUnderscoresAction"])?.replace(/^HEADERS_WITH_UNDERSCORES_/, ""),
    ),
    mergeSlashes: typeof merge === "boolean" ? merge : undefined,
    escapedSlashes: oneOf(ESCAPED, given["httpPathWithEscapedSlashesAction"]),
  });
  return orNothing(type === "router" && given["profile"] === "EDGE" ? { ...EDGE, ...own } : own);
}

const CERT_PARTS: readonly CertPart[] = ["cert", "chain", "dns", "subject", "uri"];
const FORWARD: readonly ForwardClientCert[] = [
  "SANITIZE",
  "FORWARD_ONLY",
  "APPEND_FORWARD",
  "SANITIZE_SET",
  "ALWAYS_FORWARD_ONLY",
];
const UNDERSCORES = ["ALLOW", "REJECT_REQUEST", "DROP_HEADER"] as const;
const ESCAPED = ["KEEP_UNCHANGED", "REJECT_REQUEST", "UNESCAPE_AND_REDIRECT", "UNESCAPE_AND_FORWARD"] as const;

/** Without its undefined members; undefined when none is left. */
function orNothing<T extends object>(value: T): ReturnType<typeof compact<T>> | undefined {
  const some = compact(value);
  return Object.keys(some).length === 0 ? undefined : some;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function count(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

function time(value: unknown): number | undefined {
  return typeof value === "string" ? durationMs(value) : undefined;
}

function oneOf<T extends string>(known: readonly T[], value: unknown): T | undefined {
  return known.find((item) => item === value);
}
