import { readProxyExpression } from "./proxy-expression.ts";

/** Operators of access log formats that Envoy 1.40 has. A test asks the binary. */
const PLAIN = `
  ACCESS_LOG_TYPE BYTES_RECEIVED BYTES_RETRANSMITTED BYTES_SENT CONNECTION_ID CONNECTION_TERMINATION_DETAILS
  CUSTOM_FLAGS DURATION EMIT_TIME EMIT_TIME_LOCAL FILTER_CHAIN_NAME GRPC_STATUS GRPC_STATUS_NUMBER HOSTNAME
  LOCAL_REPLY_BODY PACKETS_RETRANSMITTED PATH PROTOCOL QUERY_PARAMS REQUESTED_SERVER_NAME REQUEST_DURATION
  REQUEST_HEADERS_BYTES REQUEST_TX_DURATION RESPONSE_CODE RESPONSE_CODE_DETAILS RESPONSE_DURATION RESPONSE_FLAGS
  RESPONSE_FLAGS_LONG RESPONSE_HEADERS_BYTES RESPONSE_TRAILERS_BYTES RESPONSE_TX_DURATION ROUNDTRIP_DURATION ROUTE_NAME
  ROUTE_RESOLUTION_COUNT ROUTE_RESOLUTION_TIME_US SPAN_ID START_TIME START_TIME_LOCAL STREAM_ID TLS_JA3_FINGERPRINT
  TLS_JA4_FINGERPRINT TRACE_ID UNIQUE_ID VIRTUAL_CLUSTER_NAME
`;

/** Of connections from clients, after `DOWNSTREAM_`. */
const DOWNSTREAM = `
  CX_RTT DECOMPRESSED_HEADER_BYTES_RECEIVED DECOMPRESSED_HEADER_BYTES_SENT DETECTED_CLOSE_TYPE DIRECT_LOCAL_ADDRESS
  DIRECT_LOCAL_ADDRESS_ENDPOINT_ID DIRECT_LOCAL_ADDRESS_WITHOUT_PORT DIRECT_LOCAL_PORT DIRECT_REMOTE_ADDRESS
  DIRECT_REMOTE_ADDRESS_WITHOUT_PORT DIRECT_REMOTE_PORT HANDSHAKE_DURATION HEADER_BYTES_RECEIVED HEADER_BYTES_SENT
  LOCAL_ADDRESS LOCAL_ADDRESS_ENDPOINT_ID LOCAL_ADDRESS_WITHOUT_PORT LOCAL_CLOSE_REASON LOCAL_DNS_SAN LOCAL_EMAIL_SAN
  LOCAL_IP_SAN LOCAL_OTHERNAME_SAN LOCAL_PORT LOCAL_SUBJECT LOCAL_URI_SAN PEER_CERT PEER_CERT_V_END PEER_CERT_V_START
  PEER_CHAIN_FINGERPRINTS_1 PEER_CHAIN_FINGERPRINTS_256 PEER_CHAIN_SERIALS PEER_DNS_SAN PEER_EMAIL_SAN
  PEER_FINGERPRINT_1 PEER_FINGERPRINT_256 PEER_IP_SAN PEER_ISSUER PEER_ISSUER_FINGERPRINT_256 PEER_ISSUER_SERIAL
  PEER_OTHERNAME_SAN PEER_SERIAL PEER_SUBJECT PEER_URI_SAN REMOTE_ADDRESS REMOTE_ADDRESS_WITHOUT_PORT REMOTE_PORT
  TLS_CIPHER TLS_GROUP TLS_SESSION_ID TLS_VERSION TRANSPORT_FAILURE_REASON WIRE_BYTES_RECEIVED WIRE_BYTES_SENT
`;

/** Of connections to endpoints, after `UPSTREAM_`. */
const UPSTREAM = `
  CLUSTER CLUSTER_RAW CONNECTION_ID CONNECTION_IDS_ATTEMPTED CONNECTION_POOL_READY_DURATION
  DECOMPRESSED_HEADER_BYTES_RECEIVED DECOMPRESSED_HEADER_BYTES_SENT DETECTED_CLOSE_TYPE HEADER_BYTES_RECEIVED
  HEADER_BYTES_SENT HOST HOSTS_ATTEMPTED HOSTS_ATTEMPTED_WITHOUT_PORT HOST_NAME HOST_NAMES_ATTEMPTED
  HOST_NAMES_ATTEMPTED_WITHOUT_PORT HOST_NAME_WITHOUT_PORT LOCAL_ADDRESS LOCAL_ADDRESS_WITHOUT_PORT LOCAL_CLOSE_REASON
  LOCAL_DNS_SAN LOCAL_IP_SAN LOCAL_PORT LOCAL_URI_SAN PEER_CERT PEER_CERT_V_END PEER_CERT_V_START PEER_DNS_SAN
  PEER_IP_SAN PEER_ISSUER PEER_SUBJECT PEER_URI_SAN PROTOCOL REMOTE_ADDRESS REMOTE_ADDRESS_ENDPOINT_ID
  REMOTE_ADDRESS_WITHOUT_PORT REMOTE_PORT REQUEST_ATTEMPT_COUNT SERVER_NAME TLS_CIPHER TLS_GROUP TLS_SESSION_ID
  TLS_VERSION TRANSPORT_FAILURE_REASON WIRE_BYTES_RECEIVED WIRE_BYTES_SENT
`;

/** These say nothing without what stands in brackets. */
const WITH_ARGUMENT = `
  CEL CLUSTER_METADATA COALESCE COMMON_DURATION DYNAMIC_METADATA ENVIRONMENT FILTER_STATE METADATA QUERY_PARAM REQ
  REQUEST_HEADER REQ_WITHOUT_QUERY RESP RESPONSE_HEADER RESPONSE_TRAILER STREAM_INFO_REQ TRAILER UPSTREAM_FILTER_STATE
  UPSTREAM_METADATA
`;

function wordsOf(text: string, prefix = ""): readonly string[] {
  return text
    .trim()
    .split(/\s+/)
    .map((word) => prefix + word);
}

/** Operators by name, and whether each needs an argument. */
export const FORMAT_OPERATORS: ReadonlyMap<string, boolean> = new Map([
  ...[...wordsOf(PLAIN), ...wordsOf(DOWNSTREAM, "DOWNSTREAM_"), ...wordsOf(UPSTREAM, "UPSTREAM_")].map(
    (name) => [name, false] as const,
  ),
  ...wordsOf(WITH_ARGUMENT).map((name) => [name, true] as const),
]);

/** What is wrong with a format, and where in it. */
export interface FormatProblem {
  readonly problem: string;
  readonly at: number;
}

/** Why Envoy would refuse a format of access logs; undefined: it takes it. */
export function formatProblem(format: string): FormatProblem | undefined {
  let end = 0;
  for (const match of format.matchAll(/%(?:%|([A-Z0-9_]+)(?:\((.*?)\))?(?::(\d+))?%)/g)) {
    const [whole, name, argument = ""] = match;
    const stray = format.indexOf("%", end);
    if (stray < match.index) break;
    end = match.index + whole.length;
    if (name === undefined) continue;
    const needsArgument = FORMAT_OPERATORS.get(name);
    const at = match.index;
    if (needsArgument === undefined) return { problem: `Envoy has no operator %${name}%`, at };
    if (needsArgument && argument === "") return { problem: `%${name}% needs an argument: %${name}(…)%`, at };
    const expression = name === "CEL" ? readProxyExpression(argument) : undefined;
    if (expression !== undefined && "problem" in expression)
      return { problem: `%CEL(${argument})%: ${expression.problem}`, at };
  }
  const stray = format.indexOf("%", end);
  return stray < 0 ? undefined : { problem: "a % begins no operator; the sign itself is %%", at: stray };
}

/** The same of all texts in an object of formats, with the path of the text. */
export function formatProblems(
  value: unknown,
): readonly (FormatProblem & { readonly path: readonly (string | number)[] })[] {
  if (typeof value === "string") {
    const found = formatProblem(value);
    return found === undefined ? [] : [{ ...found, path: [] }];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    formatProblems(member).map((found) => ({
      ...found,
      path: [Array.isArray(value) ? Number(key) : key, ...found.path],
    })),
  );
}
