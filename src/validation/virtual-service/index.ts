import { destinationRules } from "./destinations.ts";
import { hostRules } from "./hosts.ts";
import { httpActionRules } from "./http-action.ts";
import { httpHeaderRules } from "./http-headers.ts";
import { httpMatchRules } from "./http-match.ts";
import { httpPolicyRules } from "./http-policies.ts";
import { l4Rules } from "./l4.ts";
import type { VirtualServiceRules } from "./parts.ts";
import { reachabilityRules } from "./reachability.ts";

/** Rules of VirtualService. */
export const virtualServiceRules: VirtualServiceRules = [
  ...hostRules,
  ...httpActionRules,
  ...httpMatchRules,
  ...httpHeaderRules,
  ...httpPolicyRules,
  ...destinationRules,
  ...l4Rules,
  ...reachabilityRules,
];
