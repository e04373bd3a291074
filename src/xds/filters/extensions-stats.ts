import { extensionsIn } from "../extension-filters.ts";
import type { HttpFilter } from "./types.ts";

/** WasmPlugins and TrafficExtensions after authorization. */
export const extensionsStats: HttpFilter = {
  name: "extensions.istio.io/stats",
  appliesTo: (chain) => extensionsIn(chain, "http", ["stats"]).length > 0,
  filter: (chain) => extensionsIn(chain, "http", ["stats"]),
};
