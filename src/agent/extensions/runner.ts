import { errorText } from "../../base/errors.ts";
import { once } from "../../base/once.ts";
import { createDiscoveryService, type DiscoveryService } from "../../grpc/discovery-service.ts";
import type { Runner } from "../runner.ts";
import type { ExtensionsDeps } from "./extensions.ts";
import { EXTENSION_TYPE } from "./module-config.ts";
import type { ModuleOptions } from "./start.ts";

/** The modules of a proxy's extensions, for its Envoy. */
export interface ExtensionsRunner {
  /** To be served where Envoy asks for secrets. */
  readonly service: DiscoveryService;
  readonly runner: Runner;
}

/**
 * Consumes what meshd says of modules, and registries; offers the modules to Envoy. Loaded when Envoy first asks for one: most
 * proxies have none.
 */
export function createExtensions(
  deps: Omit<ExtensionsDeps, "cache" | "service"> & { readonly modules: ModuleOptions },
): ExtensionsRunner {
  const { log } = deps;
  let end: (() => void) | undefined;
  const load = once(async () => {
    const { startExtensions } = await import("./start.ts");
    end = await startExtensions({ ...deps, service });
  });
  const service = createDiscoveryService({
    service: "envoy.service.extension.v3.ExtensionConfigDiscoveryService",
    noun: "ExtensionConfigs",
    typeUrl: EXTENSION_TYPE,
    onRefused: (reason) => log.warn({ reason }, "Envoy refused an extension"),
    onWanted() {
      load().catch((error: unknown) => log.error({}, `extensions cannot be served: ${errorText(error)}`));
    },
  });
  return { service, runner: { name: "extensions", start: () => Promise.resolve(), close: async () => end?.() } };
}
