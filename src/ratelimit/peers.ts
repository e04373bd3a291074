import type { Logger } from "../base/logger.ts";
import { errorText } from "../base/errors.ts";
import type { PeerClient } from "../grpc/rate-limit-client.ts";
import type { Count } from "./counts.ts";
import type { RateLimitAnswer } from "./answer.ts";

/** A request of the protocol, already reduced to what one replica counts. */
export type PeerRequest = Parameters<PeerClient["ask"]>[0];

/** The other replicas, as one of them sees them. */
export interface Peers {
  /** Addresses (`host:port`) of all replicas that there are, this one included. */
  all(): readonly string[];
  /** Those that count now: without the ones that did not answer and were not welcomed since. */
  counting(): readonly string[];
  /** Those that did not answer, and are to be tried again now. */
  due(): readonly string[];
  /** Asks another replica; undefined when it does not answer. It counts no longer then. */
  ask(replica: string, request: PeerRequest): Promise<RateLimitAnswer | undefined>;
  /** Tells another replica what was counted; false when it does not answer. */
  tell(replica: string, counts: readonly Count[]): Promise<boolean>;
  /** It answers again, and knows what it has to. */
  welcome(replica: string): void;
  /** The replicas that there are now. */
  set(replicas: readonly string[]): void;
  /** Connections are made anew: with another certificate. */
  reconnect(): void;
  close(): void;
}

export interface PeersDeps {
  /** `host:port` of this replica. */
  readonly self: string;
  readonly connect: (replica: string) => PeerClient;
  readonly now: () => number;
  readonly log: Logger;
}

/** After how long a replica that did not answer is tried again, in milliseconds. */
const AGAIN_MS = 500;
/**
 * One that says nothing for so long does not answer, in milliseconds. Far longer than proxies wait: whoever is left out although it
 * counts makes two counts of one. One that is gone is told by its connection, much sooner.
 */
const ANSWER_MS = 5_000;
/** Counts in one message: far below the largest that a replica takes. */
const BATCH = 10_000;

export function createPeers({ self, connect, now, log }: PeersDeps): Peers {
  let known: readonly string[] = [self];
  const clients = new Map<string, PeerClient>();
  /** Replica that did not answer -> when it is tried again. */
  const away = new Map<string, number>();
  const clientOf = (replica: string): PeerClient => {
    const open = clients.get(replica) ?? connect(replica);
    clients.set(replica, open);
    return open;
  };
  const drop = (replica: string): void => {
    clients.get(replica)?.close();
    clients.delete(replica);
  };
  const attempt = async <T>(replica: string, act: (client: PeerClient) => Promise<T>): Promise<T | undefined> => {
    try {
      return await act(clientOf(replica));
    } catch (error) {
      if (!away.has(replica)) log.warn({ replica }, `replica does not answer: ${errorText(error)}`);
      away.set(replica, now() + AGAIN_MS);
      // a channel that failed waits longer and longer before it dials again
      drop(replica);
      return undefined;
    }
  };
  return {
    all: () => known,
    counting: () => known.filter((replica) => !away.has(replica)),
    due: () => known.filter((replica) => (away.get(replica) ?? Infinity) <= now()),
    ask: (replica, request) => attempt(replica, (client) => client.ask(request, ANSWER_MS)),
    async tell(replica, counts) {
      for (let from = 0; from === 0 || from < counts.length; from += BATCH) {
        const told = await attempt(replica, async (client) => {
          await client.merge(counts.slice(from, from + BATCH), ANSWER_MS);
          return true;
        });
        if (told === undefined) return false;
      }
      return true;
    },
    welcome(replica) {
      if (away.delete(replica)) log.info({ replica }, "replica counts again");
    },
    set(replicas) {
      // a new one counts when it has been told what it has to know
      for (const replica of replicas) if (replica !== self && !known.includes(replica)) away.set(replica, 0);
      known = [...new Set([self, ...replicas])].toSorted();
      for (const replica of [...clients.keys(), ...away.keys()]) {
        if (known.includes(replica)) continue;
        drop(replica);
        away.delete(replica);
      }
    },
    reconnect: () => [...clients.keys()].forEach(drop),
    close: () => [...clients.keys()].forEach(drop),
  };
}
