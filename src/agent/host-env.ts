import { isIP } from "node:net";
import { EnvironmentError } from "../base/errors.ts";
import { type Env, isRecord } from "./metadata.ts";

/** Where `meshctl workload entry configure`'s mesh.yaml stands on a host; Istio's place. */
export const HOST_MESH_FILE = "./etc/istio/config/mesh";

/** What a host says of itself. */
export interface HostFacts {
  readonly hostname: string;
  /** Addresses of its interfaces, loopback left out. */
  readonly addresses: readonly string[];
  /** The mesh file, parsed. */
  readonly mesh: unknown;
}

/**
 * The environment of an agent outside the cluster: where no injection has written it, it comes from the mesh file
 * (`defaultConfig` as PROXY_CONFIG, its `proxyMetadata` as variables) and from the host: POD_NAME is its name,
 * INSTANCE_IP the address that ISTIO_SVC_IP names, else its first. What is set already stays.
 */
export function hostEnv(env: Env, { hostname, addresses, mesh }: HostFacts): Env {
  const { defaultConfig } = isRecord(mesh) ? mesh : {};
  if (!isRecord(defaultConfig)) {
    throw new EnvironmentError("agent-file", `${HOST_MESH_FILE}: expected a mapping with defaultConfig`, {
      hint: "Copy mesh.yaml there as meshctl workload entry configure wrote it.",
    });
  }
  const metadata = isRecord(defaultConfig["proxyMetadata"]) ? defaultConfig["proxyMetadata"] : {};
  const told = Object.entries(metadata).map(([name, value]) => [name, String(value)]);
  const own: Env = {
    ...(Object.fromEntries(told) as Env),
    POD_NAME: hostname,
    POD_NAMESPACE: env["ISTIO_NAMESPACE"],
    INSTANCE_IP: env["ISTIO_SVC_IP"] ?? addresses.find((address) => isIP(address) === 4) ?? addresses[0],
    PROXY_CONFIG: JSON.stringify(defaultConfig),
  };
  const set = Object.entries({ ...own, ...env }).filter(([, value]) => value !== undefined && value !== "");
  return Object.fromEntries(set);
}
