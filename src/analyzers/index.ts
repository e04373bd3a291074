import type { Analyzer } from "./analyzer.ts";
import { gatewayApiAnalyzers } from "./gateway-api/index.ts";
import { istioAnalyzers } from "./istio/index.ts";
import { securityAnalyzers } from "./security/index.ts";
import { trafficAnalyzers } from "./traffic/index.ts";
import { workloadAnalyzers } from "./workloads/index.ts";

/** Every analyzer, sorted by name. Each folder has its list; test/contract/analyzers.test.ts compares them with the files. */
export const analyzers: readonly Analyzer[] = [
  ...gatewayApiAnalyzers,
  ...istioAnalyzers,
  ...securityAnalyzers,
  ...trafficAnalyzers,
  ...workloadAnalyzers,
].toSorted((a, b) => (a.name < b.name ? -1 : 1));
