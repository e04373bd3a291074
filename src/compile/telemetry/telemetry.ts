import { compact } from "../../base/compact.ts";
import type { Derivations } from "../../base/derive.ts";
import type { GatewayListener, OutboundListener } from "../../ir/listener.ts";
import type { Telemetry } from "../../ir/telemetry.ts";
import type { Model } from "../../model/model.ts";
import type { TelemetrySpec } from "../../model/telemetry.ts";
import { mergedMetrics, reportingInterval } from "../../model/telemetry-merge.ts";
import type { ScopeFacts, WorkloadFacts } from "../scope.ts";
import { logSinks } from "./logs.ts";
import type { TelemetryFacts, TelemetrySite } from "./site.ts";
import { tracingOf } from "./tracing.ts";

/** What proxies tell, by scope (as clients, and gateways) and by workload (as servers). Equal content is the same object. */
export interface MeshTelemetry {
  ofScope(scope: string): Telemetry | undefined;
  ofWorkload(workload: string): Telemetry | undefined;
  /** The listener with it; of the same two the same object. */
  with<L extends OutboundListener | GatewayListener>(listener: L, telemetry: Telemetry | undefined): L;
}

/** The facts behind keys. */
interface Context {
  readonly model: Model;
  readonly derivations: Derivations;
  readonly scope: (key: string) => ScopeFacts;
  readonly workload: (key: string) => WorkloadFacts;
}

export function createTelemetry(context: Context): MeshTelemetry {
  const { model, derivations } = context;
  const same = derivations.keyed("telemetry", (text: string) => JSON.parse(text) as Telemetry);
  const shared = (telemetry: Telemetry | undefined): Telemetry | undefined =>
    telemetry === undefined ? undefined : same(JSON.stringify(telemetry));
  const made = new WeakMap<
    Telemetry,
    WeakMap<OutboundListener | GatewayListener, OutboundListener | GatewayListener>
  >();
  return {
    ofScope: derivations.keyed("telemetry of scope", (scope: string) => {
      const facts = context.scope(scope);
      return shared(telemetryOf(model, { facts, side: "CLIENT", viewer: facts, isGateway: facts.type === "router" }));
    }),
    ofWorkload: derivations.keyed("telemetry of workload", (workload: string) => {
      const facts = context.workload(workload);
      const sidecar = model.sidecars.of(facts)?.metadata;
      const viewer = {
        namespace: facts.namespace,
        ...(sidecar && { sidecar: `${sidecar.namespace ?? ""}/${sidecar.name}` }),
      };
      return shared(telemetryOf(model, { facts, side: "SERVER", viewer, isGateway: false }));
    }),
    with(listener, telemetry) {
      if (telemetry === undefined) return listener;
      const known = made.get(telemetry) ?? new WeakMap();
      const own = known.get(listener) ?? { ...listener, telemetry };
      made.set(telemetry, known.set(listener, own));
      return own as typeof listener;
    },
  };
}

/** What a proxy tells of one side of its traffic; undefined: as without any setting. */
export function telemetryOf(model: Model, site: TelemetrySite): Telemetry | undefined {
  const specs = specsOf(model, site.facts);
  const config = model.meshConfig();
  const made = compact({
    metrics: mergedMetrics(specs, config, site.side),
    reportingMs: reportingInterval(specs, config),
    logs: logSinks(model, site, specs),
    tracing: tracingOf(model, site, specs),
  });
  return Object.keys(made).length === 0 ? undefined : made;
}

function specsOf(model: Model, { telemetry = [] }: TelemetryFacts): readonly TelemetrySpec[] {
  return telemetry.flatMap((id) => model.telemetries.byId(id)?.spec ?? []);
}

/** Clusters of the collectors that are told. */
export function toldClusters(telemetry: Telemetry | undefined): readonly string[] {
  const { logs = [], tracing } = telemetry ?? {};
  const sampler = tracing?.tracer.kind === "otel" ? tracing.tracer.sampler : undefined;
  const tracer = tracing === undefined ? [] : [tracing.tracer.cluster];
  return [
    ...logs.flatMap((sink) => (sink.kind === "file" ? [] : [sink.cluster])),
    ...tracer,
    ...(sampler === undefined ? [] : [sampler.cluster]),
  ];
}
