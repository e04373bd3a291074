import type { Analyzer } from "../analyzer.ts";
import { injectionLabels } from "./injection-labels.ts";
import { injectionTemplates } from "./injection-templates.ts";
import { peerauthenticationOverlap } from "./peerauthentication-overlap.ts";
import { policySelectors } from "./policy-selectors.ts";
import { servicePorts } from "./service-ports.ts";
import { workloadEntries } from "./workload-entries.ts";

/** Analyzers of workloads: pods, services, ports, injection, WorkloadEntries. */
export const workloadAnalyzers: readonly Analyzer[] = [
  injectionLabels,
  injectionTemplates,
  peerauthenticationOverlap,
  policySelectors,
  servicePorts,
  workloadEntries,
];
