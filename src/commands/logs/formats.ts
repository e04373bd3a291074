import { isDeepStrictEqual } from "node:util";
import { type AccessLogFormat, DEFAULT_ACCESS_LOG_FORMATS } from "../../base/access-log-line.ts";
import { ENVOY_ACCESS_LOG_TEXT } from "../../base/access-log-format.ts";
import { listenersOf } from "../proxy-config/listeners.ts";

/** Loggers whose lines are in the container's log. */
const OF_STREAMS = ["StdoutAccessLog", "StderrAccessLog"];
const STREAM_PATHS = ["/dev/stdout", "/dev/stderr"];

/**
 * How a proxy writes its access log, as its own configuration says (Envoy's `/config_dump`), and then the defaults: older
 * lines may be from before a change.
 */
export function formatsOf(dump: unknown): readonly AccessLogFormat[] {
  const found: AccessLogFormat[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const format = Array.isArray(value) ? undefined : formatOf(value as Readonly<Record<string, unknown>>);
    if (format !== undefined && !found.some((known) => isDeepStrictEqual(known, format))) found.push(format);
    for (const inner of Object.values(value)) visit(inner);
  };
  visit(listenersOf(dump));
  return [
    ...found,
    ...DEFAULT_ACCESS_LOG_FORMATS.filter((format) => !found.some((known) => isDeepStrictEqual(known, format))),
  ];
}

interface LoggerMessage {
  readonly "@type"?: unknown;
  readonly path?: unknown;
  readonly log_format?: {
    readonly text_format_source?: { readonly inline_string?: string };
    readonly text_format?: string;
    readonly json_format?: Readonly<Record<string, unknown>>;
  };
}

function formatOf(message: LoggerMessage): AccessLogFormat | undefined {
  const type = String(message["@type"]).split(".").at(-1) ?? "";
  const isStream =
    OF_STREAMS.includes(type) || (type === "FileAccessLog" && STREAM_PATHS.includes(String(message.path)));
  if (!isStream) return undefined;
  const { json_format, text_format, text_format_source } = message.log_format ?? {};
  if (json_format !== undefined) return { json: json_format };
  return { text: (text_format_source?.inline_string ?? text_format ?? ENVOY_ACCESS_LOG_TEXT).replace(/\n+$/, "") };
}
