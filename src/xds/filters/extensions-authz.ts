import { extensionsIn } from "../extension-filters.ts";
import type { HttpFilter } from "./types.ts";

/** WasmPlugins and TrafficExtensions after tokens were read, before authorization. */
export const extensionsAuthz: HttpFilter = {
  name: "extensions.istio.io/authz",
  appliesTo: (chain) => extensionsIn(chain, "http", ["authz"]).length > 0,
  filter: (chain) => extensionsIn(chain, "http", ["authz"]),
};
