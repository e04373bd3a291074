import type { GlobalLimit } from "../ir/rate-limit.ts";
import { surelyRefused } from "./rbac/connection-gate.ts";
import type { ChainContext } from "./types.ts";

/** CEL that is true for connections of bytes that the handshake shows to be refused; undefined: it shows of none. */
export function refusedAtHandshake({ direction, security, mutualTls }: ChainContext): string | undefined {
  const { authorization } = security ?? {};
  return direction !== "inbound" || authorization === undefined ? undefined : surelyRefused(authorization, mutualTls);
}

/** Limits of one policy by which the service counts connections. */
interface ConnectionLimits {
  readonly policy: string;
  readonly global: NonNullable<NonNullable<NonNullable<ChainContext["security"]>["rateLimits"]>[number]["global"]>;
  readonly limits: readonly GlobalLimit[];
}

/**
 * Limits by which the rate limit service is asked about each connection of bytes before the proxy goes on with it: those that ask
 * nothing of a request.
 */
export function connectionLimits(chain: ChainContext): readonly ConnectionLimits[] {
  return (chain.security?.rateLimits ?? []).flatMap(({ policy, enforcedPercent, global }) => {
    const limits = (global?.limits ?? []).filter(countsConnections);
    // the filter cannot count without refusing
    return global === undefined || limits.length === 0 || enforcedPercent < 100 ? [] : [{ policy, global, limits }];
  });
}

/**
 * Whether the server may be dialled by the service's answer before the handshake has shown who calls, where that decides. Then
 * connections lead nowhere until the handshake is done, and are dialled again until then (network-filters/connection-gate.ts,
 * tcp-proxy.ts): Envoy has no filter that waits for both.
 */
export function isDialledAgain(chain: ChainContext): boolean {
  return chain.mutualTls && refusedAtHandshake(chain) !== undefined && connectionLimits(chain).length > 0;
}

/** The service is asked before the client has shown who it is: only its address may tell connections apart. */
function countsConnections({ match, keys }: GlobalLimit): boolean {
  return match.length === 0 && keys.every(({ kind }) => kind === "remote-address");
}
