import { extensionsIn } from "../extension-filters.ts";
import type { HttpFilter } from "./types.ts";

/** WasmPlugins and TrafficExtensions before tokens are read. */
export const extensionsAuthn: HttpFilter = {
  name: "extensions.istio.io/authn",
  appliesTo: (chain) => extensionsIn(chain, "http", ["authn"]).length > 0,
  filter: (chain) => extensionsIn(chain, "http", ["authn"]),
};
