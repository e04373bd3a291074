import { extensionProvider } from "../../model/extension-providers.ts";
import type { MeshConfig } from "../../model/mesh-config.ts";

/** Istio's provider that is there without being configured. */
const BUILT_IN = "envoy";
const STDOUT = "/dev/stdout";

/**
 * Where matches of AUDIT policies are written: to the mesh's access log providers (MeshConfig.defaultProviders.accessLogging) that
 * write files; without one to the proxy's standard output.
 */
export function auditLogs(config: Pick<MeshConfig, "raw">): readonly string[] {
  const { accessLogging } = (config.raw["defaultProviders"] ?? {}) as { readonly accessLogging?: unknown };
  const names = Array.isArray(accessLogging) ? accessLogging : [];
  const paths = names.flatMap((name): readonly string[] => {
    const provider = typeof name === "string" ? extensionProvider(config, name) : undefined;
    if (provider === undefined) return name === BUILT_IN ? [STDOUT] : [];
    const path = provider.settings["path"];
    return provider.kind === "envoyFileAccessLog" && typeof path === "string" && path !== "" ? [path] : [];
  });
  return paths.length === 0 ? [STDOUT] : [...new Set(paths)];
}
