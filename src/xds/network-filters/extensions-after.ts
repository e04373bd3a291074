import { extensionsIn } from "../extension-filters.ts";
import type { MeshNetworkFilter } from "./types.ts";

/** WasmPlugins and TrafficExtensions for bytes, after authorization; on chains that speak HTTP too. */
export const extensionsAfter: MeshNetworkFilter = {
  name: "extensions.istio.io/after-authorization",
  appliesTo: (chain) => extensionsIn(chain, "network", ["stats", "last"]).length > 0,
  filter: (chain) => extensionsIn(chain, "network", ["stats", "last"]),
};
