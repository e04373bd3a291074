import { isIP } from "node:net";
import { EnvironmentError } from "../../base/errors.ts";
import type { AgentConfig } from "../config.ts";
import type { Env } from "../metadata.ts";

/** How the agent answers DNS queries. */
export interface DnsSettings {
  readonly addresses: readonly string[];
  readonly port: number;
  /** Ask all upstream servers at once. */
  readonly parallel: boolean;
  /** Files that may name the host's resolvers: the first that is there counts. */
  readonly resolvConf: readonly string[];
}

const PORT = 15053;

/**
 * From the environment: ISTIO_META_DNS_CAPTURE (undefined unless "true"), DNS_PROXY_ADDR (address and port, or `localhost` and
 * port for both loopbacks), DNS_FORWARD_PARALLEL. Where the capture rules send queries is the loopback address; a pod without a
 * network of its own answers at its own address. Throws EnvironmentError.
 */
export function readDnsSettings(config: AgentConfig, env: Env): DnsSettings | undefined {
  if (config.metadata["DNS_CAPTURE"] !== "true") return undefined;
  const loopback = config.addresses.explicit ? [config.addresses.listen] : ["127.0.0.1", "::1"];
  const { host, port } = listenAddress(env["DNS_PROXY_ADDR"]);
  return {
    addresses: host === undefined ? loopback : [host],
    port,
    parallel: env["DNS_FORWARD_PARALLEL"] === "true",
    // On a host whose own resolver we are, the file that everybody reads names us.
    resolvConf: [...(port === 53 ? ["/var/lib/istio/resolv.conf"] : []), "/etc/resolv.conf"],
  };
}

function listenAddress(value: string | undefined): { readonly host: string | undefined; readonly port: number } {
  if (value === undefined || value === "") return { host: undefined, port: PORT };
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]*)):([0-9]{1,5})$/.exec(value) ?? [];
  const host = bracketed ?? plain ?? "";
  const port = Number(digits ?? 0);
  if (port > 0 && port < 65_536) {
    if (host === "localhost" || host === "") return { host: undefined, port };
    if (isIP(host) !== 0) return { host, port };
  }
  throw new EnvironmentError(
    "agent-env",
    `DNS_PROXY_ADDR: expected an address and a port, got ${JSON.stringify(value)}`,
    {
      hint: "Write it as localhost:15053 or 127.0.0.1:15053.",
    },
  );
}
