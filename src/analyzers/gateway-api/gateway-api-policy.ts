import { policyProblems } from "../../compile/gateway-api/policy-status.ts";
import { defineAnalyzer } from "../analyzer.ts";
import { reportProblems, withCodes } from "./shared-report.ts";

const CODES = ["MSH0740", "MSH0741", "MSH0742"] as const;

/** What a controller would write as conditions of BackendTLSPolicies. */
export const gatewayApiPolicy = defineAnalyzer({
  name: "gateway-api-policy",
  summary: "Computes the conditions of BackendTLSPolicies: targets, conflicts, authorities.",
  reads: ["BackendTLSPolicy", "ConfigMap", "Service"],
  codes: CODES,
  analyze: (input) => {
    for (const policy of input.world.list("BackendTLSPolicy"))
      reportProblems(input, policy, withCodes(policyProblems(input.model, policy), CODES));
  },
});
