/** One field of Istio's default access log: its key in the JSON form, and what Envoy writes there. */
export interface AccessLogField {
  readonly key: string;
  readonly format: string;
  /** Between double quotes in the text form. */
  readonly quoted?: true;
}

/** Fields of the default access log after the quoted request, in the order of the text line (Istio's `accessLogFormat`). */
export const ACCESS_LOG_FIELDS: readonly AccessLogField[] = [
  { key: "response_code", format: "%RESPONSE_CODE%" },
  { key: "response_flags", format: "%RESPONSE_FLAGS%" },
  { key: "response_code_details", format: "%RESPONSE_CODE_DETAILS%" },
  { key: "connection_termination_details", format: "%CONNECTION_TERMINATION_DETAILS%" },
  { key: "upstream_transport_failure_reason", format: "%UPSTREAM_TRANSPORT_FAILURE_REASON%", quoted: true },
  { key: "bytes_received", format: "%BYTES_RECEIVED%" },
  { key: "bytes_sent", format: "%BYTES_SENT%" },
  { key: "duration", format: "%DURATION%" },
  { key: "upstream_service_time", format: "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%" },
  { key: "x_forwarded_for", format: "%REQ(X-FORWARDED-FOR)%", quoted: true },
  { key: "user_agent", format: "%REQ(USER-AGENT)%", quoted: true },
  { key: "request_id", format: "%REQ(X-REQUEST-ID)%", quoted: true },
  { key: "authority", format: "%REQ(:AUTHORITY)%", quoted: true },
  { key: "upstream_host", format: "%UPSTREAM_HOST%", quoted: true },
  { key: "upstream_cluster", format: "%UPSTREAM_CLUSTER_RAW%" },
  { key: "upstream_local_address", format: "%UPSTREAM_LOCAL_ADDRESS%" },
  { key: "downstream_local_address", format: "%DOWNSTREAM_LOCAL_ADDRESS%" },
  { key: "downstream_remote_address", format: "%DOWNSTREAM_REMOTE_ADDRESS%" },
  { key: "requested_server_name", format: "%REQUESTED_SERVER_NAME%" },
  { key: "route_name", format: "%ROUTE_NAME%" },
];

const METHOD = "%REQ(:METHOD)%";
const PATH = "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%";

/** The default line, without its line end. */
export function defaultAccessLogText(): string {
  const rest = ACCESS_LOG_FIELDS.map(({ format, quoted }) => (quoted ? `"${format}"` : format));
  return `[%START_TIME%] "${METHOD} ${PATH} %PROTOCOL%" ${rest.join(" ")}`;
}

/** The default object: format texts by key. */
export function defaultAccessLogJson(): Record<string, string> {
  return {
    start_time: "%START_TIME%",
    method: METHOD,
    path: PATH,
    protocol: "%PROTOCOL%",
    ...Object.fromEntries(ACCESS_LOG_FIELDS.map(({ key, format }) => [key, format])),
  };
}

/** A command operator of Envoy's format texts: `%REQ(:METHOD):10%` is `{name: "REQ", argument: ":METHOD", length: 10}`. */
export interface FormatOperator {
  readonly name: string;
  readonly argument?: string;
  /** Longest value that is written. */
  readonly length?: number;
  /** Where it begins in the text. */
  readonly at: number;
}

/** A format text in pieces: what is written as it stands, and operators. */
export function formatPieces(text: string): readonly (string | FormatOperator)[] {
  const pieces: (string | FormatOperator)[] = [];
  let end = 0;
  let literal = "";
  for (const match of text.matchAll(/%(?:%|([A-Z0-9_]+)(?:\((.*?)\))?(?::(\d+))?%)/gs)) {
    const [whole, name, argument, length] = match;
    literal += text.slice(end, match.index);
    end = match.index + whole.length;
    if (name === undefined) {
      literal += "%";
      continue;
    }
    if (literal !== "") pieces.push(literal);
    literal = "";
    pieces.push({
      name,
      at: match.index,
      ...(argument !== undefined && { argument }),
      ...(length !== undefined && { length: Number(length) }),
    });
  }
  literal += text.slice(end);
  return literal === "" ? pieces : [...pieces, literal];
}

/** Envoy's own default line, without its line end: what is written where nobody gave a format. */
export const ENVOY_ACCESS_LOG_TEXT = `[%START_TIME%] "${METHOD} ${PATH} %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"`;
