import { type Json, type Messages, type TypedAny, typed } from "../../wire/codec.ts";
import type { AccessLogOptions } from "../types.ts";
import type { AccessLogger } from "./types.ts";

/** Fields of the default access log, in the order of the text line; the keys are those of the JSON line. */
const FIELDS: readonly (readonly [key: string, format: string, quoted: boolean])[] = [
  ["response_code", "%RESPONSE_CODE%", false],
  ["response_flags", "%RESPONSE_FLAGS%", false],
  ["response_code_details", "%RESPONSE_CODE_DETAILS%", false],
  ["connection_termination_details", "%CONNECTION_TERMINATION_DETAILS%", false],
  ["upstream_transport_failure_reason", "%UPSTREAM_TRANSPORT_FAILURE_REASON%", true],
  ["bytes_received", "%BYTES_RECEIVED%", false],
  ["bytes_sent", "%BYTES_SENT%", false],
  ["duration", "%DURATION%", false],
  ["upstream_service_time", "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%", false],
  ["x_forwarded_for", "%REQ(X-FORWARDED-FOR)%", true],
  ["user_agent", "%REQ(USER-AGENT)%", true],
  ["request_id", "%REQ(X-REQUEST-ID)%", true],
  ["authority", "%REQ(:AUTHORITY)%", true],
  ["upstream_host", "%UPSTREAM_HOST%", true],
  ["upstream_cluster", "%UPSTREAM_CLUSTER_RAW%", false],
  ["upstream_local_address", "%UPSTREAM_LOCAL_ADDRESS%", false],
  ["downstream_local_address", "%DOWNSTREAM_LOCAL_ADDRESS%", false],
  ["downstream_remote_address", "%DOWNSTREAM_REMOTE_ADDRESS%", false],
  ["requested_server_name", "%REQUESTED_SERVER_NAME%", false],
  ["route_name", "%ROUTE_NAME%", false],
];

const METHOD = "%REQ(:METHOD)%";
const PATH = "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%";

/** A line per request or connection, as `accessLogFile` and its kin of the mesh configuration ask for. Off by default. */
export const file: AccessLogger = {
  name: "envoy.access_loggers.file",
  protocol: "both",
  appliesTo: (chain) => chain.options.accessLog !== undefined,
  loggers(chain) {
    const options = chain.options.accessLog;
    return options === undefined ? [] : [{ name: "envoy.access_loggers.file", typed_config: destination(options) }];
  },
};

/** The proxy's own output is written to as such: opening `/dev/stdout` fails where it is a socket. */
function destination(options: AccessLogOptions): TypedAny {
  const log_format = format(options);
  switch (options.path) {
    case "/dev/stdout":
      return typed("envoy.extensions.access_loggers.stream.v3.StdoutAccessLog", { log_format });
    case "/dev/stderr":
      return typed("envoy.extensions.access_loggers.stream.v3.StderrAccessLog", { log_format });
    default:
      return typed("envoy.extensions.access_loggers.file.v3.FileAccessLog", { path: options.path, log_format });
  }
}

function format(options: AccessLogOptions): Messages["envoy.config.core.v3.SubstitutionFormatString"] {
  if (options.encoding === "TEXT") {
    const text = options.format ?? defaultText();
    return { text_format_source: { inline_string: text.endsWith("\n") ? text : `${text}\n` } };
  }
  return { json_format: parseObject(options.format ?? "") ?? defaultJson() };
}

/** A format that is no JSON object must not cost the proxy its listeners: the default is written instead. */
function parseObject(text: string): Record<string, Json> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
    return isObject ? (value as Record<string, Json>) : undefined;
  } catch {
    return undefined;
  }
}

function defaultText(): string {
  const rest = FIELDS.map(([, value, quoted]) => (quoted ? `"${value}"` : value));
  return `[%START_TIME%] "${METHOD} ${PATH} %PROTOCOL%" ${rest.join(" ")}`;
}

function defaultJson(): Record<string, Json> {
  return {
    start_time: "%START_TIME%",
    method: METHOD,
    path: PATH,
    protocol: "%PROTOCOL%",
    ...Object.fromEntries(FIELDS.map(([key, value]) => [key, value])),
  };
}
