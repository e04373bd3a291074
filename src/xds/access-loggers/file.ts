import type { FileSink } from "../../ir/telemetry.ts";
import { type TypedAny, typed } from "../../wire/codec.ts";
import { lineFormat } from "../log-format.ts";
import { sinkFilter, sinksOf } from "../log-sinks.ts";
import type { ChainContext } from "../types.ts";
import type { AccessLogger } from "./types.ts";

/** A line per request or connection, as Telemetry asks for; without any as `accessLogFile` of the mesh does. Off by default. */
export const file: AccessLogger = {
  name: "envoy.access_loggers.file",
  protocol: "both",
  appliesTo: (chain) => filesOf(chain).length > 0,
  loggers: (chain) =>
    filesOf(chain).map((sink) => ({
      name: "envoy.access_loggers.file",
      ...sinkFilter(sink),
      typed_config: fileLog(sink),
    })),
};

type File = Pick<FileSink, "path" | "format"> & { readonly filter?: string };

function filesOf({ telemetry, options }: ChainContext): readonly File[] {
  if (telemetry?.logs !== undefined) return sinksOf(telemetry, "file");
  return options.accessLog === undefined ? [] : [options.accessLog];
}

/** The proxy's own output is written to as such: opening `/dev/stdout` fails where it is a socket. */
export function fileLog({ path, format }: Pick<FileSink, "path" | "format">): TypedAny {
  const log_format = lineFormat(format);
  switch (path) {
    case "/dev/stdout":
      return typed("envoy.extensions.access_loggers.stream.v3.StdoutAccessLog", { log_format });
    case "/dev/stderr":
      return typed("envoy.extensions.access_loggers.stream.v3.StderrAccessLog", { log_format });
    default:
      return typed("envoy.extensions.access_loggers.file.v3.FileAccessLog", { path, log_format });
  }
}
