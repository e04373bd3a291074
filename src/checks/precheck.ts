import type { Check } from "./check.ts";
import { checksOf } from "./registry.ts";

/** Whether the mesh can be installed into a cluster. */
export const precheckChecks: readonly Check[] = checksOf("before");
