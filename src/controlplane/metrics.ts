import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { VERSION } from "../gen/version.ts";
import { meshKinds } from "../gen/mesh-kinds.ts";
import type { WorldChange } from "../resources/world.ts";
import type { AnalysisSummary } from "./analysis/job.ts";
import { type EventMetrics, eventMetrics, meshMetrics, type MetricSources } from "./mesh-metrics.ts";
import { type MakeCounted, type MakeCounter, type MakeGauge, type MakeHistogram, SECONDS } from "./metric-makers.ts";
import { type RegistrationEvent, registrationMetrics } from "./registration-metrics.ts";
import { streamMetrics } from "./stream-metrics.ts";
import type { StreamEvent } from "./xds-deps.ts";
import type { SigningResult } from "./audit.ts";
import type { ReviewedResource, WebhookResult } from "./webhook.ts";

/** The control plane's measurements, under the names that Istio's dashboards and alerts read. */
export interface Metrics extends EventMetrics {
  stream(event: StreamEvent): void;
  /** A burst of changes was worked in. */
  applied(facts: {
    readonly changes: readonly WorldChange[];
    readonly tookMs: number;
    readonly waitedMs: number;
  }): void;
  /** The mesh configuration could not be read. */
  unreadableConfig(): void;
  signing(result: SigningResult): void;
  rootExpires(at: Date): void;
  webhook(
    webhook: "inject" | "validate",
    result: WebhookResult,
    tookMs: number,
    resource: ReviewedResource | undefined,
  ): void;
  /** The configuration was analysed. */
  analysed(summary: AnalysisSummary): void;
  fault(): void;
  /** A patch of an EnvoyFilter that cannot be applied. */
  patchLeftOut(): void;
  /** A workload outside the cluster came or went. */
  registration(event: RegistrationEvent): void;
  /** Prometheus text. */
  text(): Promise<string>;
}

/** Metrics in a registry of their own; with those of the process (`nodejs_eventloop_lag_*`: how long work waits for its turn). */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = (name: string, help: string, labelNames: string[] = []): Counter =>
    new Counter({ name, help, labelNames, registers });
  const gauge = (name: string, help: string, labelNames: string[] = []): Gauge =>
    new Gauge({ name, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: number[], labelNames: string[] = []): Histogram =>
    new Histogram({ name, help, buckets, labelNames, registers });

  const started = Date.now();
  gauge("istio_build", "Version of the control plane.", ["component", "tag"]).set(
    { component: "pilot", tag: VERSION },
    1,
  );
  gauge("pilot_info", "Version of the control plane.", ["version"]).set({ version: VERSION }, 1);
  new Gauge({
    name: "istiod_uptime_seconds",
    help: "Time since the control plane started.",
    registers,
    collect() {
      this.set((Date.now() - started) / 1000);
    },
  });
  const counted: MakeCounted = (name, help, count) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(count());
      },
    });
  const read = meshMetrics(sources, { counted, counter, gauge });
  const unreadable = counter(
    "meshd_mesh_config_errors_total",
    "Versions of the mesh configuration that could not be read.",
  );
  const faults = counter("pilot_total_xds_internal_errors", "Errors of the control plane while serving xDS.");
  const leftOut = counter("meshd_envoy_filter_errors_total", "Patches of EnvoyFilters that cannot be applied.");
  return {
    ...streamMetrics(counter, gauge, histogram),
    ...changeMetrics(counter, histogram),
    ...caMetrics(counter, gauge, counted),
    ...webhookMetrics(counter, histogram),
    ...analysisMetrics(gauge, histogram),
    ...registrationMetrics(counter),
    fault: () => faults.inc(),
    patchLeftOut: () => leftOut.inc(),
    unreadableConfig: () => unreadable.inc(),
    ...eventMetrics(counter),
    text() {
      read();
      return registry.metrics();
    },
  };
}

function changeMetrics(counter: MakeCounter, histogram: MakeHistogram): Pick<Metrics, "applied"> {
  const debounce = histogram("pilot_debounce_time", "From the first change of a burst to its work.", SECONDS);
  const init = histogram("pilot_pushcontext_init_seconds", "Working in a burst of changes.", SECONDS);
  const updates = counter("pilot_inbound_updates", "Changes that came in.", ["type"]);
  const triggers = counter("pilot_push_triggers", "Bursts of changes, by what was in them.", ["type"]);
  const watched = counter("pilot_k8s_cfg_events", "Changes of the mesh's own kinds, as watched.", ["type", "event"]);
  const registry = counter("pilot_k8s_reg_events", "Changes of the cluster's own kinds, as watched.", [
    "type",
    "event",
  ]);
  return {
    applied({ changes, tookMs, waitedMs }) {
      for (const change of changes) {
        const { kind } = change.object;
        updates.inc({ type: updateOf(change) });
        // A watch tells what an object is now, not whether it is new: both are an update here.
        const event = change.type === "delete" ? "delete" : "update";
        (Object.hasOwn(meshKinds, kind) ? watched : registry).inc({ type: kind, event });
      }
      for (const type of new Set(changes.map(triggerOf))) triggers.inc({ type });
      debounce.observe(waitedMs / 1000);
      init.observe(tookMs / 1000);
    },
  };
}

/** The four sorts that Istio counts changes in. */
function updateOf({ type, object }: WorldChange): string {
  if (object.kind === "EndpointSlice" || object.kind === "Pod") return "eds";
  if (object.kind === "Service") return type === "delete" ? "svcdelete" : "svc";
  return "config";
}

const TRIGGERS: Readonly<Record<string, string>> = {
  EndpointSlice: "endpoint",
  Pod: "endpoint",
  Service: "service",
  Secret: "secret",
  Namespace: "namespace",
  ConfigMap: "global",
};

function triggerOf({ object }: WorldChange): string {
  return TRIGGERS[object.kind] ?? (Object.hasOwn(meshKinds, object.kind) ? "config" : "unknown");
}

function caMetrics(
  counter: MakeCounter,
  gauge: MakeGauge,
  counted: MakeCounted,
): Pick<Metrics, "signing" | "rootExpires"> {
  const requests = counter("citadel_server_csr_count", "Requests to sign.");
  const issued = counter("citadel_server_success_cert_issuance_count", "Certificates issued.");
  const unauthenticated = counter("citadel_server_authentication_failure_count", "Requests without a proven caller.");
  const badCsr = counter("citadel_server_csr_parsing_err_count", "Requests that could not be read or were too weak.");
  const refused = counter("citadel_server_csr_sign_err_count", "Requests refused for another reason.");
  const expiry = gauge("citadel_server_root_cert_expiry_timestamp", "Unix time at which the root ends.");
  let rootEnds = Number.NaN;
  counted(
    "citadel_server_root_cert_expiry_seconds",
    "Time until the root ends; negative when it is over.",
    () => (rootEnds - Date.now()) / 1000,
  );
  return {
    signing(result) {
      requests.inc();
      if (result === "issued") issued.inc();
      else if (result === "unauthenticated") unauthenticated.inc();
      else if (result === "bad-csr") badCsr.inc();
      else refused.inc();
    },
    rootExpires(at) {
      rootEnds = at.getTime();
      expiry.set(rootEnds / 1000);
    },
  };
}

function analysisMetrics(
  gauge: (name: string, help: string, labelNames?: string[]) => Gauge,
  histogram: (name: string, help: string, buckets: number[]) => Histogram,
): Pick<Metrics, "analysed"> {
  const took = histogram("meshd_analysis_seconds", "Time an analysis took, in its own thread.", SECONDS);
  const found = gauge("meshd_analysis_findings", "Findings of the last analysis.", ["level"]);
  return {
    analysed({ tookMs, levels }) {
      took.observe(tookMs / 1000);
      for (const [level, count] of Object.entries(levels)) found.set({ level }, count);
    },
  };
}

/** Labels of what was validated. */
const RESOURCE = ["group", "version", "resource"];

function webhookMetrics(counter: MakeCounter, histogram: MakeHistogram): Pick<Metrics, "webhook"> {
  const requests = counter("sidecar_injection_requests_total", "Pods that came by.");
  const success = counter("sidecar_injection_success_total", "Pods answered.");
  const failure = counter("sidecar_injection_failure_total", "Pods that could not be answered.");
  const skipped = counter("sidecar_injection_skip_total", "Pods left as they are.");
  const time = histogram("sidecar_injection_time_seconds", "Time to answer.", [0.001, 0.01, 0.1, 1, 10]);
  const passed = counter("galley_validation_passed", "Objects found valid.", RESOURCE);
  const failed = counter("galley_validation_failed", "Objects refused.", RESOURCE);
  return {
    webhook(webhook, result, tookMs, { group = "", version = "", resource = "" } = {}) {
      if (webhook === "validate") {
        (result === "refused" ? failed : passed).inc({ group, version, resource });
        return;
      }
      requests.inc();
      if (result === "skipped") skipped.inc();
      else (result === "failed" ? failure : success).inc();
      time.observe(tookMs / 1000);
    },
  };
}
