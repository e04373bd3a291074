import type { Analyzer } from "../analyzer.ts";
import { authorizationEffect } from "./authorization-effect.ts";
import { authorizationOperations } from "./authorization-operations.ts";
import { authorizationSources } from "./authorization-sources.ts";
import { policyTargets } from "./policy-targets.ts";
import { practiceAuthorization } from "./practice-authorization.ts";
import { practiceGateways } from "./practice-gateways.ts";
import { practiceMesh } from "./practice-mesh.ts";
import { practiceMtls } from "./practice-mtls.ts";
import { practiceProxies } from "./practice-proxies.ts";
import { practiceTokens } from "./practice-tokens.ts";
import { rateLimits } from "./rate-limits.ts";
import { tokenRequired } from "./token-required.ts";

/** Analyzers of policies, and the best practices of profile `security`. */
export const securityAnalyzers: readonly Analyzer[] = [
  authorizationEffect,
  authorizationOperations,
  authorizationSources,
  policyTargets,
  practiceAuthorization,
  practiceGateways,
  practiceMesh,
  practiceMtls,
  practiceProxies,
  practiceTokens,
  rateLimits,
  tokenRequired,
];
