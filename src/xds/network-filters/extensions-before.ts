import { extensionsIn } from "../extension-filters.ts";
import type { MeshNetworkFilter } from "./types.ts";

/** WasmPlugins and TrafficExtensions for bytes, before authorization; on chains that speak HTTP too. */
export const extensionsBefore: MeshNetworkFilter = {
  name: "extensions.istio.io/before-authorization",
  appliesTo: (chain) => extensionsIn(chain, "network", ["authn", "authz"]).length > 0,
  filter: (chain) => extensionsIn(chain, "network", ["authn", "authz"]),
};
