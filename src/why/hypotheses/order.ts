import type { Hypothesis } from "../types.ts";
import { answeredByRule } from "./answered-by-rule.ts";
import { applications } from "./applications.ts";
import { certificates } from "./certificates.ts";
import { clients } from "./clients.ts";
import { doors } from "./doors.ts";
import { modules } from "./modules.ts";
import { noCluster } from "./no-cluster.ts";
import { noEndpoints } from "./no-endpoints.ts";
import { noRoute } from "./no-route.ts";
import { notSeen } from "./not-seen.ts";
import { overflow } from "./overflow.ts";
import { plaintext } from "./plaintext.ts";
import { policies } from "./policies.ts";
import { protocols } from "./protocols.ts";
import { rateLimits } from "./rate-limits.ts";
import { refused } from "./refused.ts";
import { refusedConfiguration } from "./refused-configuration.ts";
import { timeouts } from "./timeouts.ts";
import { tokens } from "./tokens.ts";
import { tooLarge } from "./too-large.ts";

/** Every family of causes, from the caller to the application; of causes that weigh the same the first is named first. */
export const hypotheses: readonly Hypothesis[] = [
  refusedConfiguration,
  clients,
  doors,
  notSeen,
  noRoute,
  noCluster,
  answeredByRule,
  timeouts,
  overflow,
  noEndpoints,
  refused,
  certificates,
  plaintext,
  protocols,
  policies,
  tokens,
  modules,
  rateLimits,
  tooLarge,
  applications,
];
