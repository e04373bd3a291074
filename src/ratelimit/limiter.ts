import type { Messages } from "../wire/codec.ts";
import { answerOf, type DescriptorStatus, type RateLimitAnswer, statusFor, UNLIMITED } from "./answer.ts";
import type { Count, Counts } from "./counts.ts";
import { type Asked, askedBy } from "./descriptors.ts";
import { ranked } from "./owners.ts";
import type { Peers } from "./peers.ts";
import { windowOf } from "./windows.ts";

type Request = Messages["envoy.service.ratelimit.v3.RateLimitRequest"];
type Descriptor = NonNullable<Request["descriptors"]>[number];

/** What is measured. */
export interface LimiterEvents {
  readonly onCounted: (label: string, outcome: "ok" | "over_limit") => void;
  readonly onForwarded: (outcome: "ok" | "failed") => void;
}

export interface LimiterDeps extends LimiterEvents {
  readonly self: string;
  readonly counts: Counts;
  readonly peers: Peers;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Counts requests, each key at the replica that it belongs to. */
export interface Limiter {
  /** `forwarded`: another replica asks, which knows that this one counts. */
  answer(request: Request, forwarded: boolean): Promise<RateLimitAnswer>;
  merge(counts: readonly Count[]): void;
  /**
   * Tells what was counted here since the last time to the replicas that the keys belong to, or would next: what is lost with a
   * replica is what it counted since. One that answers again is told all that it is to have before it counts again.
   */
  replicate(): Promise<void>;
  /** The replicas changed: each new one is told all that it is to have, before it is asked. */
  membersChanged(replicas: readonly string[]): Promise<void>;
}

/** How many replicas have a key's counts: the one that counts, and the next. */
const COPIES = 2;

export function createLimiter(deps: LimiterDeps): Limiter {
  const { self, counts, peers, now } = deps;
  const count = (asked: Asked): DescriptorStatus => {
    const hits = counts.add(asked.key, windowOf(asked.unit, now()), asked.hits);
    deps.onCounted(asked.label, hits > asked.limit ? "over_limit" : "ok");
    return statusFor(asked, hits, now());
  };
  const statusOf = async (request: Request, descriptor: Descriptor, forwarded: boolean): Promise<DescriptorStatus> => {
    const asked = askedBy(request.domain ?? "", descriptor, request.hits_addend ?? 0);
    if (asked === undefined) return UNLIMITED;
    for (const owner of forwarded ? [] : ranked(asked.key, peers.counting())) {
      if (owner === self) break;
      const answer = await peers.ask(owner, { ...request, descriptors: [descriptor] });
      deps.onForwarded(answer === undefined ? "failed" : "ok");
      if (answer !== undefined) return answer.statuses?.[0] ?? UNLIMITED;
    }
    return count(asked);
  };
  const tellAll = async (changed: Iterable<Count>, replicas: readonly string[]): Promise<void> => {
    const byReplica = new Map(replicas.map((replica) => [replica, [] as Count[]]));
    for (const one of changed)
      for (const replica of ranked(one.key, replicas).slice(0, COPIES)) byReplica.get(replica)?.push(one);
    byReplica.delete(self);
    const lists = [...byReplica].filter(([, list]) => list.length > 0);
    await Promise.all(lists.map(([replica, list]) => peers.tell(replica, list)));
  };
  const welcomeBack = async (replica: string): Promise<void> => {
    const its = [...counts.all()].filter(({ key }) => ranked(key, peers.all()).slice(0, COPIES).includes(replica));
    if (await peers.tell(replica, its)) peers.welcome(replica);
  };
  const welcomeDue = async (): Promise<void> => {
    await Promise.all(peers.due().map(welcomeBack));
  };
  return {
    async answer(request, forwarded) {
      const statuses = (request.descriptors ?? []).map((each) => statusOf(request, each, forwarded));
      return answerOf(await Promise.all(statuses));
    },
    merge(all) {
      for (const one of all) counts.merge(one);
    },
    async replicate() {
      await Promise.all([tellAll(counts.takeChanged(), peers.counting()), welcomeDue()]);
    },
    async membersChanged(replicas) {
      peers.set(replicas);
      await welcomeDue();
    },
  };
}
