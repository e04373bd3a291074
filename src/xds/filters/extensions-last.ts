import { extensionsIn } from "../extension-filters.ts";
import type { HttpFilter } from "./types.ts";

/** WasmPlugins and TrafficExtensions after all that decides who may call. */
export const extensionsLast: HttpFilter = {
  name: "extensions.istio.io/last",
  appliesTo: (chain) => extensionsIn(chain, "http", ["last"]).length > 0,
  filter: (chain) => extensionsIn(chain, "http", ["last"]),
};
