import type { MakeCounter } from "./metric-makers.ts";

/** What became of a workload outside the cluster. */
export type RegistrationEvent = "register" | "update" | "unregister" | "delete" | "error";

/** Counters of auto-registration, under Istio's names. */
export function registrationMetrics(counter: MakeCounter): { registration(event: RegistrationEvent): void } {
  const counters = {
    register: counter("auto_registration_success_total", "WorkloadEntries made for workloads that connected."),
    update: counter("auto_registration_updates_total", "Workloads that connected and had a WorkloadEntry."),
    unregister: counter("auto_registration_unregister_total", "Workloads whose last stream ended."),
    delete: counter("auto_registration_deletes_total", "WorkloadEntries removed because nobody came back."),
    error: counter("auto_registration_errors_total", "WorkloadEntries that could not be written."),
  };
  return { registration: (event) => counters[event].inc() };
}
