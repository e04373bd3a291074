import type { FileSink } from "../../ir/telemetry.ts";
import { sinkFilter, sinksOf } from "../log-sinks.ts";
import { fileLog } from "../log-writers.ts";
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
