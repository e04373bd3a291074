import { defaultAccessLogJson, defaultAccessLogText } from "../../base/access-log-format.ts";
import { type Json, type Messages, type TypedAny, typed } from "../../wire/codec.ts";
import type { AccessLogOptions } from "../types.ts";
import type { AccessLogger } from "./types.ts";

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
    const text = options.format ?? defaultAccessLogText();
    return { text_format_source: { inline_string: text.endsWith("\n") ? text : `${text}\n` } };
  }
  return { json_format: parseObject(options.format ?? "") ?? defaultAccessLogJson() };
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
