import type { LogSink, Telemetry } from "../ir/telemetry.ts";
import { typed } from "../wire/codec.ts";
import { CEL_FUNCTIONS } from "./log-format.ts";
import type { AccessLog } from "./types.ts";

/** The sinks of some kinds. */
export function sinksOf<K extends LogSink["kind"]>(
  telemetry: Telemetry | undefined,
  ...kinds: readonly K[]
): readonly Extract<LogSink, { readonly kind: K }>[] {
  return (telemetry?.logs ?? []).filter((sink): sink is Extract<LogSink, { readonly kind: K }> =>
    (kinds as readonly string[]).includes(sink.kind),
  );
}

/** What of the traffic is logged. */
export function sinkFilter({ filter }: { readonly filter?: string }): Pick<AccessLog, "filter"> {
  if (filter === undefined) return {};
  return {
    filter: {
      extension_filter: {
        name: "envoy.access_loggers.extension_filters.cel",
        typed_config: typed("envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter", {
          expression: filter,
          cel_config: CEL_FUNCTIONS,
        }),
      },
    },
  };
}
