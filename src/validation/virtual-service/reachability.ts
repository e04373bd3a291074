import type { VirtualServiceHttpMatch, VirtualServiceSpec } from "../../gen/schema-types.ts";
import type { About } from "../rule.ts";
import type { VirtualServiceRules } from "./parts.ts";

/** Rules that can never be reached, and matches that never decide (Istio's IST0130 and IST0131). */
export const reachabilityRules: VirtualServiceRules = [
  {
    name: "virtual-service-reachable",
    holds: "Each rule is reached by some traffic: none before it takes everything, or each of its matches.",
    severity: "warning",
    check: (spec, _report, { raise }) => {
      for (const protocol of PROTOCOLS) unreachable(spec, protocol, raise);
    },
  },
  {
    name: "virtual-service-effective-match",
    holds: "Each match decides something: no rule before it has the same one, or a shorter prefix.",
    severity: "warning",
    check: (spec, _report, { raise }) => {
      for (const protocol of PROTOCOLS) repeated(spec, protocol, raise);
      covered(spec, raise);
    },
  },
];

const PROTOCOLS = ["http", "tls", "tcp"] as const;

type Protocol = (typeof PROTOCOLS)[number];
type Raise = About["raise"];

interface AnyRule {
  readonly name?: string;
  readonly match?: readonly object[];
}

const rulesOf = (spec: VirtualServiceSpec, protocol: Protocol): readonly AnyRule[] => spec[protocol] ?? [];

/** How messages call a rule or match: its name in quotes, or its index. */
function called(part: object | undefined, index: number): string {
  const name = part !== undefined && "name" in part ? String(part.name) : "";
  return name === "" ? `#${index}` : `"${name}"`;
}

/** Keys of matches that were made before: two rules ask for them. */
const keys = new WeakMap<object, string>();

/** Two matches with one key ask the same; the name says nothing. */
function keyOf(match: object): string {
  const known = keys.get(match);
  if (known !== undefined) return known;
  const key = newKey(match);
  keys.set(match, key);
  return key;
}

function newKey(match: object): string {
  const { name: _name, ...conditions } = match as { readonly name?: string };
  return JSON.stringify(sorted(conditions));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}

/** Whether there are two rules or matches that could be in each other's way. */
function areSeveral(rules: readonly AnyRule[]): boolean {
  return rules.length > 2 || (rules[0]?.match?.length ?? 0) + (rules[1]?.match?.length ?? 0) > 1;
}

function unreachable(spec: VirtualServiceSpec, protocol: Protocol, raise: Raise): void {
  const rules = rulesOf(spec, protocol);
  if (rules.length < 2 || !areInTheWay(rules)) return;
  const seen = new Set<string>();
  let isTaken = false;
  for (const [index, rule] of rules.entries()) {
    const matches = rule.match ?? [];
    const reason = reasonOf(matches, isTaken, seen);
    if (reason !== undefined) raise("IST0130", [protocol, index], { rule: called(rule, index), reason });
    isTaken ||= matches.length === 0;
  }
}

/** Whether a rule is not the last and takes everything, or two have matches: else all are reached. */
function areInTheWay(rules: readonly AnyRule[]): boolean {
  const withMatches = rules.filter(({ match = [] }) => match.length > 0).length;
  const last = rules.at(-1)?.match ?? [];
  return withMatches > 1 || withMatches < rules.length - 1 || last.length > 0;
}

/** Why a rule is not reached, in Istio's words. Adds its matches to those that were seen. */
function reasonOf(matches: readonly object[], isTaken: boolean, seen: Set<string>): string | undefined {
  if (isTaken)
    return matches.length === 0 ? "only the last rule can have no matches" : "route without matches defined before";
  const own = matches.map(keyOf);
  // a match that stands twice in one rule leaves the rule reachable
  const isRepeated = own.length > 0 && own.every((key) => seen.has(key));
  for (const key of own) seen.add(key);
  return isRepeated ? "all matches used by prior rules" : undefined;
}

function repeated(spec: VirtualServiceSpec, protocol: Protocol, raise: Raise): void {
  const rules = rulesOf(spec, protocol);
  if (!areSeveral(rules)) return;
  const seen = new Map<string, number>();
  for (const [index, rule] of rules.entries()) {
    if ((rule.match ?? []).length === 0) return;
    for (const [position, match] of (rule.match ?? []).entries()) {
      const key = keyOf(match);
      const first = seen.get(key);
      if (first === undefined) seen.set(key, index);
      else
        raise("IST0131", [protocol, index, "match", position], {
          rule: called(rule, index),
          match: called(match, position),
          other: called(rules[first], first),
        });
    }
  }
}

interface Prefixed {
  readonly match: VirtualServiceHttpMatch;
  readonly prefix: string;
  readonly ruleIndex: number;
  readonly position: number;
}

/** HTTP matches that ask for a path below one that an earlier match, with the same other conditions, takes already. */
function covered(spec: VirtualServiceSpec, raise: Raise): void {
  const rules = spec.http ?? [];
  if (!areSeveral(rules)) return;
  const earlier = new Map<string, Map<string, Prefixed>>();
  for (const [ruleIndex, rule] of rules.entries()) {
    if ((rule.match ?? []).length === 0) return;
    for (const [position, match] of (rule.match ?? []).entries()) {
      const prefix = match.uri?.prefix ?? "";
      const each = { match, prefix, ruleIndex, position };
      const other = prefix === "" ? undefined : seeing(each, earlier);
      if (other === undefined) continue;
      raise("IST0131", ["http", ruleIndex, "match", position], {
        rule: called(rule, ruleIndex),
        match: `${called(match, position)} of prefix ${prefix}`,
        other: `${called(other.match, other.position)} of prefix ${other.prefix} on ${called(rules[other.ruleIndex], other.ruleIndex)}`,
      });
    }
  }
}

/** An earlier match that takes all that this one does. Adds it to those that were seen, by their other conditions and prefix. */
function seeing(each: Prefixed, earlier: Map<string, Map<string, Prefixed>>): Prefixed | undefined {
  const others = othersOf(each.match);
  const alike = earlier.get(others) ?? new Map<string, Prefixed>();
  earlier.set(others, alike);
  const found = shorter(each.prefix, alike);
  if (!alike.has(each.prefix)) alike.set(each.prefix, each);
  return found;
}

/** Longest path that a proxy takes: looking for prefixes of a longer one is of no use. */
const MAX_PATH = 8192;

/** A match, of those with the same other conditions, whose prefix is shorter: it takes all that the longer one does. */
function shorter(prefix: string, alike: ReadonlyMap<string, Prefixed>): Prefixed | undefined {
  if (alike.size === 0) return undefined;
  for (let length = 1; length < Math.min(prefix.length, MAX_PATH); length++) {
    const found = alike.get(prefix.slice(0, length));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** All conditions but the path, as a key. */
function othersOf(match: VirtualServiceHttpMatch): string {
  const { uri: _uri, name: _name, statPrefix: _stat, ...others } = match;
  return JSON.stringify(sorted(others));
}
