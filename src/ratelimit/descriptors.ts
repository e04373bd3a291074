import { createHash } from "node:crypto";
import { LIMIT_ENTRY } from "../base/limit-entry.ts";
import type { Messages } from "../wire/codec.ts";
import type { Unit } from "./windows.ts";

type Descriptor = Messages["envoy.extensions.common.ratelimit.v3.RateLimitDescriptor"];

/** One thing to count, and how often it may come. */
export interface Asked {
  /** What is counted: equal for equal policy, limit, values and unit. Changing a limit's number keeps what was counted. */
  readonly key: string;
  readonly unit: Unit;
  readonly limit: number;
  readonly hits: number;
  /** For metrics: policy and limit. */
  readonly label: string;
}

/** Keys hold values of headers, which may be long. */
const LONGEST_KEY = 256;

const UNITS: readonly string[] = ["SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR"] satisfies readonly Unit[];

/**
 * What a descriptor asks. The proxies send each limit with what is to be counted by it (RateLimitDescriptor.limit), so that the
 * service has no configuration. undefined: it says no limit, and nothing is counted.
 */
export function askedBy(domain: string, descriptor: Descriptor, hits: number): Asked | undefined {
  const all = descriptor.entries ?? [];
  const said = all.find(({ key }) => key === LIMIT_ENTRY)?.value;
  const { requests_per_unit: limit = 0, unit = "UNKNOWN" } = descriptor.limit ?? limitOf(said);
  if (!UNITS.includes(unit)) return undefined;
  const entries = all.filter(({ key }) => key !== LIMIT_ENTRY);
  const key = JSON.stringify([domain, unit, ...entries.map(({ key: name = "", value = "" }) => [name, value])]);
  return {
    key: key.length <= LONGEST_KEY ? key : createHash("sha256").update(key).digest("base64url"),
    unit: unit as Unit,
    limit,
    hits: Math.max(1, hits),
    label: `${domain}/${entries[0]?.value ?? ""}`,
  };
}

function limitOf(text = ""): NonNullable<Descriptor["limit"]> {
  const [number = "", unit = ""] = text.split(" ");
  return /^\d{1,10}$/.test(number) && isUnit(unit) ? { requests_per_unit: Number(number), unit } : {};
}

function isUnit(text: string): text is Unit {
  return UNITS.includes(text);
}
