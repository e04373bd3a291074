import type { Headers, SimulatedRequest } from "../../../src/simulate/request.ts";
import type { Dice } from "./dice.ts";
import { HEADERS, PATHS, VALUES } from "./random-tables.ts";

const AUTHORITIES = [
  "a.test",
  "A.test",
  "b.a.test",
  "c.b.a.test",
  "z.test",
  "y-x.test",
  "-x.test",
  "a.com",
  "a.b.com",
  "c.test",
  "c.test:8080",
  "a.test:80",
  "a.test:443",
  "[::1]:80",
  "[::1]",
  "other",
];
const QUERIES = [
  "",
  "",
  "?v=onetwo&w=two",
  "?v=one&w=onetwo",
  "?v=two&w=12",
  "?v=ONE&w=one",
  "?v=one",
  "?v=two&v=one",
  "?w=12",
  "?v",
  "?v=&w=ONE",
  "?w=one&x",
  "?v=a,b",
];

/** A request over the vocabulary of the tables. */
export function randomRequest(roll: Dice, scheme: "http" | "https"): SimulatedRequest {
  const headers = HEADERS.filter(() => roll.chance(0.45)).flatMap((name): Headers => {
    const first = [name, roll.pick(VALUES)] as const;
    return roll.chance(0.15) ? [first, [name, roll.pick(VALUES)]] : [first];
  });
  const grpc: Headers = roll.chance(0.1)
    ? [["content-type", roll.pick(["application/grpc", "application/grpc+proto", "application/json"])]]
    : [];
  const hosts: Headers = roll.some(["named.test", "", "second.test"], 2).map((name) => ["x-d", name] as const);
  return {
    method: roll.pick(["GET", "GET", "POST"]),
    scheme,
    authority: roll.pick(AUTHORITIES),
    path: roll.pick([...PATHS, "/a/b/c", "/apiary", "/nowhere", "/API", "/long/way"]) + roll.pick(QUERIES),
    headers: [...headers, ...grpc, ...hosts],
  };
}
