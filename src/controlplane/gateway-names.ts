import { Resolver } from "node:dns/promises";
import type { Derivations, Source } from "../base/derive.ts";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { byText } from "../model/order.ts";

/** Addresses of names that gateways between networks have, kept fresh. */
export interface GatewayNames {
  /** For the model: addresses as far as they are known; tracked. */
  readonly addressesOf: (name: string) => readonly string[];
  /** Resolves these names, tracked, as they come and go, until the returned function is called. */
  follow(names: () => readonly string[]): () => void;
  /** Resolves when each name that is followed now was asked for once. */
  settled(): Promise<void>;
}

/** An answer of DNS. */
export interface Resolved {
  readonly addresses: readonly string[];
  readonly ttlSeconds: number;
}

export interface GatewayNamesDeps {
  readonly derivations: Derivations;
  /** Throws when nobody answers. Default: the machine's DNS servers. */
  readonly resolve?: (name: string) => Promise<Resolved>;
  readonly log: Logger;
}

/** Bounds of how long an answer is used, as Istio has them: short times would cause pushes, long ones would miss changes. */
const LEAST_SECONDS = 30;
const MOST_SECONDS = 3_600;

/** EDS has no place for names, so meshd resolves them. What was known once stays while nobody answers. */
export function createGatewayNames({ derivations, resolve = dnsResolve(), log }: GatewayNamesDeps): GatewayNames {
  const known = new Map<string, Source<readonly string[]>>();
  const sourceOf = (name: string): Source<readonly string[]> => {
    const source = known.get(name) ?? derivations.source<readonly string[]>([]);
    known.set(name, source);
    return source;
  };
  const running = new Map<string, { readonly first: Promise<void>; stop(): void }>();
  const start = (name: string): void => {
    let timer: NodeJS.Timeout | undefined;
    let stopped = false;
    let asked = (): void => {};
    const first = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const attempt = async (): Promise<void> => {
      const { addresses, ttlSeconds } = await resolve(name).catch((error: unknown): Partial<Resolved> => {
        log.warn({ name, error: errorText(error) }, "the name of a network gateway cannot be resolved");
        return {};
      });
      if (stopped) return;
      if (addresses !== undefined) sourceOf(name).set(addresses.toSorted(byText));
      asked();
      const seconds = Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, ttlSeconds ?? 0));
      timer = setTimeout(() => void attempt(), seconds * 1000).unref();
    };
    // not now: we stand in an effect, which may not change what others read
    timer = setTimeout(() => void attempt(), 0).unref();
    const stop = (): void => {
      stopped = true;
      clearTimeout(timer);
      asked();
    };
    running.set(name, { first, stop });
  };
  const settle = (wanted: ReadonlySet<string>): void => {
    for (const [name, asked] of running)
      if (!wanted.has(name)) {
        asked.stop();
        running.delete(name);
        known.delete(name);
      }
    for (const name of wanted) if (!running.has(name)) start(name);
  };
  return {
    addressesOf: (name) => sourceOf(name).get(),
    settled: async () => void (await Promise.all([...running.values()].map(({ first }) => first))),
    follow(names) {
      const unfollow = derivations.effect(() => settle(new Set(names())));
      return () => {
        unfollow();
        settle(new Set());
      };
    },
  };
}

/**
 * Asks DNS for both families; one that has no answer is no failure. The name is whole: no search domains. `servers` as
 * `address:port`; default: the machine's.
 */
export function dnsResolve(servers?: readonly string[]): (name: string) => Promise<Resolved> {
  return async (name) => {
    const resolver = new Resolver({ timeout: 5_000, tries: 2 });
    if (servers !== undefined) resolver.setServers(servers);
    const asked = await Promise.allSettled([
      resolver.resolve4(name, { ttl: true }),
      resolver.resolve6(name, { ttl: true }),
    ]);
    const [v4, v6] = asked;
    if (v4.status === "rejected" && v6.status === "rejected" && !(isNone(v4.reason) && isNone(v6.reason)))
      throw isNone(v4.reason) ? v6.reason : v4.reason;
    const records = asked.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
    const ttls = records.map(({ ttl }) => ttl);
    return {
      addresses: records.map(({ address }) => address),
      ttlSeconds: ttls.length === 0 ? 0 : Math.min(...ttls),
    };
  };
}

/** The server says that there is none, which is an answer. */
function isNone(reason: unknown): boolean {
  const { code } = reason as { readonly code?: string };
  return code === "ENOTFOUND" || code === "ENODATA";
}
