import { isIP } from "node:net";
import { EnvironmentError } from "../base/errors.ts";
import { type Env, parseJsonObject } from "./metadata.ts";

/** Where the proxy's own ports are bound, and where the agent and Envoy reach one another. */
export interface ProxyAddresses {
  readonly admin: string;
  /** 15021 and 15090 (Envoy), 15020 (agent). */
  readonly listen: string;
  /** How Envoy reaches the agent's 15020. */
  readonly agent: string;
  /** Explicit mode: source address of what Envoy opens itself. */
  readonly explicit: boolean;
}

/** The loopback addresses of one workload. */
export interface MeshBind {
  readonly prefix: string;
  readonly appAddress: string;
}

/** The mark of Envoy's connections (PROXY_MARK); undefined when rules know them by their user. Throws EnvironmentError. */
export function socketMark(value: string | undefined): number | undefined {
  if (value === undefined || value === "") return undefined;
  const mark = Number(value);
  if (Number.isInteger(mark) && mark > 0 && mark <= 0xffff_ffff) return mark;
  throw new EnvironmentError("agent-env", `PROXY_MARK: expected a number from 1 to ${0xffff_ffff}, got ${value}`);
}

/** Explicit mode: the address plan of the local node without network namespaces (ISTIO_META_MESH_BIND). Throws EnvironmentError. */
export function meshBind(value: string | undefined): MeshBind | undefined {
  if (value === undefined) return undefined;
  const { prefix, appAddress } = parseJsonObject("ISTIO_META_MESH_BIND", value);
  if (typeof prefix === "string" && /^127\.\d+$/.test(prefix) && typeof appAddress === "string" && appAddress !== "")
    return { prefix, appAddress };
  throw new EnvironmentError("agent-env", `ISTIO_META_MESH_BIND: expected prefix 127.w and appAddress, got ${value}`);
}

/** Where a proxy with this address listens. */
export function addresses(ip: string, bind: MeshBind | undefined): ProxyAddresses {
  if (bind !== undefined) {
    const own = `${bind.prefix}.0.1`;
    return { admin: own, listen: own, agent: own, explicit: true };
  }
  const v6 = isIP(ip) === 6;
  return { admin: "127.0.0.1", listen: v6 ? "::" : "0.0.0.0", agent: "127.0.0.1", explicit: false };
}

/** Where the application of a workload is asked: not at an address that is not its host's own, as that of a translator before it. */
export function probedAddress(env: Env, ip: string): string {
  if (env["REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION"] !== "true") return ip;
  return isIP(ip) === 6 ? "::1" : "127.0.0.1";
}
