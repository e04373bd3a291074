import { rm } from "node:fs/promises";
import { PATHS } from "../config.ts";
import type { Env } from "../metadata.ts";
import { type ExtensionsDeps, serveExtensions } from "./extensions.ts";
import { createModuleCache } from "./module-cache.ts";
import { fetchModule } from "./module-fetch.ts";

/** Starts to serve extensions, with modules below PATHS.modules; what an earlier agent left there is removed. Returns how to end it. */
export async function startExtensions({
  env,
  ...deps
}: Omit<ExtensionsDeps, "cache"> & { readonly env: Env }): Promise<() => void> {
  await rm(PATHS.modules, { recursive: true, force: true });
  const insecure = (env["WASM_INSECURE_REGISTRIES"] ?? "").split(",").filter((name) => name !== "");
  const cache = createModuleCache(PATHS.modules, (request) => fetchModule(request, { insecure }));
  return serveExtensions({ ...deps, cache });
}
