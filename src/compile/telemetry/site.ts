import type { Collector, OwnTracing } from "../../ir/telemetry.ts";
import { providerService } from "../../model/extension-providers.ts";
import type { Model } from "../../model/model.ts";
import type { Viewer } from "../../model/sight.ts";
import type { TelemetrySide } from "../../model/telemetry.ts";
import { outboundCluster } from "../names.ts";

/** Facts of a proxy that decide what it tells; `telemetry` as `model.telemetries.of` has it. */
export interface TelemetryFacts {
  readonly telemetry?: readonly string[];
  readonly tracing?: OwnTracing;
  /** Name that OpenTelemetry's rules give it, where a provider asks for these rules. */
  readonly serviceName?: string;
}

/** Whose traffic is told of. */
export interface TelemetrySite {
  readonly facts: TelemetryFacts;
  readonly side: TelemetrySide;
  /** What it sees of the mesh: collectors that it does not see are not told. */
  readonly viewer: Viewer;
  readonly isGateway: boolean;
}

/** Where a provider's settings say that it is served, as far as the proxy can reach it. */
export function collectorOf(
  model: Model,
  viewer: Viewer,
  settings: Readonly<Record<string, unknown>>,
): Collector | undefined {
  const asked = providerService(settings);
  const service = asked === undefined ? undefined : model.sight.visible(viewer, asked.host);
  if (asked === undefined || service === undefined) return undefined;
  if (asked.namespace !== undefined && asked.namespace !== service.namespace) return undefined;
  if (!service.ports.some(({ number }) => number === asked.port)) return undefined;
  return { cluster: outboundCluster({ port: asked.port, subset: "", host: asked.host }), host: asked.host };
}
