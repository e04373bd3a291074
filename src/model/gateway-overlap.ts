import type { Gateways } from "./gateways.ts";
import { selects } from "./selectors.ts";
import type { Workloads } from "./workloads.ts";

type Gateway = ReturnType<Gateways["selecting"]>[number];
type Labels = Readonly<Record<string, string>>;

/** Whether two Gateways are served by the same pods. */
export type GatewayOverlap = (a: Gateway, b: Gateway) => boolean;

/**
 * Two Gateways share pods when some pod is selected by both. Where no pod of one of them is known, the selectors tell: one that
 * asks for everything the other asks for. The answer is kept for each pair of selectors, of which a mesh has few.
 */
export function gatewayOverlap(workloads: Pick<Workloads, "selected">): GatewayOverlap {
  const numbers = new Map<string, number>();
  const answers = new Map<number, boolean>();
  const podsOf = new Map<number, ReadonlySet<unknown>>();
  const numberOf = (selector: Labels): number => {
    const text = JSON.stringify(Object.entries(selector).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const number = numbers.get(text) ?? numbers.size;
    if (number === numbers.size) {
      numbers.set(text, number);
      podsOf.set(number, new Set(workloads.selected(undefined, selector)));
    }
    return number;
  };
  const byGateway = new Map<Gateway, number>();
  const known = (gateway: Gateway): number => {
    const number = byGateway.get(gateway) ?? numberOf(gateway.spec?.selector ?? {});
    byGateway.set(gateway, number);
    return number;
  };
  return (a, b) => {
    const [first, second] = [known(a), known(b)];
    if (first === second) return true;
    const key = Math.min(first, second) * 65_536 + Math.max(first, second);
    const answer = answers.get(key) ?? overlap(a, b, podsOf.get(first), podsOf.get(second));
    answers.set(key, answer);
    return answer;
  };
}

function overlap(
  a: Gateway,
  b: Gateway,
  podsOfA: ReadonlySet<unknown> = new Set(),
  podsOfB: ReadonlySet<unknown> = new Set(),
): boolean {
  if (podsOfA.size > 0 && podsOfB.size > 0) return [...podsOfA].some((pod) => podsOfB.has(pod));
  const [first, second] = [a.spec?.selector ?? {}, b.spec?.selector ?? {}];
  return selects(first, second) || selects(second, first);
}
