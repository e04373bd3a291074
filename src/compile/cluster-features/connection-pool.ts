import { poolOf } from "../connection-pool.ts";
import type { ClusterFeature } from "./types.ts";

/** `connectionPool` and `retryBudget`; the connect timeout is the mesh's where the rule says nothing. */
export const connectionPool: ClusterFeature = {
  of: (model, { policy }) => ({ connectionPool: poolOf(policy, model.meshConfig().connectTimeoutMs) }),
};
