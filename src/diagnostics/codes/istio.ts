import { istioCodes0001 } from "./istio-0001.ts";
import { istioCodes0128 } from "./istio-0128.ts";
import { istioCodes0156 } from "./istio-0156.ts";

/**
 * Conditions that Istio has, under Istio's code and level. Not here: what Istio never raises (0143, 0168), and what only its
 * precheck says of a cluster (0136, 0141, 0142, 0169).
 */
export const istioCodes = { ...istioCodes0001, ...istioCodes0128, ...istioCodes0156 } as const;
