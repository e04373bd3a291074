import type { Answer } from "./ask.ts";
import type { Received } from "./backend.ts";
import type { Expectation, Wanted } from "./case.ts";
import { isWanted } from "./wanted.ts";

/** What one sent request came to. */
export interface Outcome {
  /** undefined: no answer came. */
  readonly answer: Answer | undefined;
  readonly error: string;
  readonly ms: number;
  /** Who answered, by its own word. */
  readonly from: string;
  /** The request as the application that answered got it. */
  readonly request: Received | undefined;
}

/** What is not as expected, in words; empty when all is. `received` are all requests that applications got. */
export function judge(
  expected: Expectation,
  outcomes: readonly Outcome[],
  received: readonly Received[],
): readonly string[] {
  return [
    ...outcomes.flatMap((outcome) => judgeOne(expected, outcome)),
    ...judgeAll(expected, outcomes),
    ...Object.entries(expected.seen ?? {}).flatMap(([who, wanted]) => {
      const count = received.filter((request) => request.who === who).length;
      const [least, most] = typeof wanted === "number" ? [wanted, wanted] : wanted;
      return within(count, least, most) ? [] : [`${who} got it ${count} times, expected ${least} to ${most}`];
    }),
  ];
}

function judgeOne(expected: Expectation, { answer, error, ms, from, request }: Outcome): readonly string[] {
  if (expected.fails === true) return answer === undefined ? [] : [`expected no answer, got ${answer.status}`];
  if (answer === undefined) return [`no answer: ${error}`];
  return [
    ...same("status", answer.status, expected.status),
    ...same("body", answer.body, expected.body),
    ...same("name of the server", answer.serverName, expected.serverName),
    ...sameAll("header", answer.headers, expected.headers),
    ...sameAll("trailer", answer.trailers, expected.trailers),
    ...(typeof expected.from === "string" ? same("answer from", from, expected.from) : []),
    ...judgeRequest(expected.request, request),
    ...(ms < (expected.minMs ?? 0) ? [`took ${ms} ms, expected at least ${expected.minMs}`] : []),
    ...(ms > (expected.maxMs ?? Number.POSITIVE_INFINITY) ? [`took ${ms} ms, expected at most ${expected.maxMs}`] : []),
  ];
}

function judgeRequest(wanted: Expectation["request"], request: Received | undefined): readonly string[] {
  if (wanted === undefined) return [];
  if (request === undefined) return ["no application answered"];
  const { headers, ...rest } = wanted;
  const own: Readonly<Record<string, string>> = {
    method: request.method,
    path: request.path,
    host: request.host,
    protocol: request.protocol,
    body: request.body,
    ...(request.sni === undefined ? {} : { sni: request.sni, client: request.client ?? "" }),
  };
  return [...sameAll("request's", own, rest), ...sameAll("request's header", request.headers, headers)];
}

function judgeAll({ statuses = {}, from, sameFrom }: Expectation, outcomes: readonly Outcome[]): readonly string[] {
  const problems = Object.entries(statuses).flatMap(([status, [least, most]]) => {
    const count = outcomes.filter(({ answer }) => String(answer?.status ?? 0) === status).length;
    return within(count, least, most) ? [] : [`${count} answers with ${status}, expected ${least} to ${most}`];
  });
  const shares = typeof from === "object" ? Object.entries(from) : [];
  for (const [who, [least, most]] of shares) {
    const share = (100 * outcomes.filter((outcome) => outcome.from === who).length) / outcomes.length;
    if (!within(share, least, most)) problems.push(`${who} answered ${share} %, expected ${least} to ${most}`);
  }
  const all = new Set(outcomes.map((outcome) => outcome.from));
  if (sameFrom !== undefined && (all.size === 1) !== sameFrom)
    problems.push(`answers from ${[...all].join(", ")}, expected ${sameFrom ? "one" : "several"}`);
  return problems;
}

function within(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

function sameAll(
  what: string,
  got: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, Wanted | undefined>> = {},
): readonly string[] {
  return Object.entries(wanted).flatMap(([name, value]) => same(`${what} ${name}`, got[name.toLowerCase()], value));
}

function same(what: string, got: string | number | undefined, wanted: Wanted | undefined): readonly string[] {
  if (wanted === undefined) return [];
  return isWanted(got, wanted) ? [] : [`${what} is ${got ?? "absent"}, expected ${wanted ?? "none"}`];
}
