import type { Proxy } from "../../ir/proxy.ts";
import type { Model } from "../../model/model.ts";
import type { TelemetryFacts } from "./site.ts";

/** What decides what a proxy tells, besides the mesh configuration. */
export function telemetryFacts(model: Model, proxy: Proxy): TelemetryFacts {
  const telemetry = model.telemetries.of(proxy);
  return {
    ...(telemetry.length === 0 ? {} : { telemetry }),
    ...(proxy.tracing === undefined ? {} : { tracing: proxy.tracing }),
  };
}
