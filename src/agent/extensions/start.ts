import { rm } from "node:fs/promises";
import { type ExtensionsDeps, serveExtensions } from "./extensions.ts";
import { createModuleCache } from "./module-cache.ts";
import { fetchModule, type FetchOptions } from "./module-fetch.ts";

/** Where modules are kept and how they are fetched. */
export interface ModuleOptions extends FetchOptions {
  /** Where Envoy finds it under the same name. */
  readonly folder: string;
}

/** Starts to serve extensions; what an earlier agent left in the folder is removed. Returns how to end it. */
export async function startExtensions({
  modules,
  ...deps
}: Omit<ExtensionsDeps, "cache"> & { readonly modules: ModuleOptions }): Promise<() => void> {
  await rm(modules.folder, { recursive: true, force: true });
  const cache = createModuleCache(modules.folder, (request) => fetchModule(request, modules));
  return serveExtensions({ ...deps, cache });
}
