import type { Outcome } from "../../../src/simulate/outcome.ts";
import type { SimulatedRequest } from "../../../src/simulate/request.ts";
import { HEADERS } from "./random-tables.ts";
import type { Answer, Arrived } from "./routing-envoy.ts";

/** What Envoy did otherwise than simulated; undefined: nothing. */
export function difference(outcome: Outcome, route: string | undefined, answer: Answer): string | undefined {
  const [wanted, got] =
    outcome.kind === "forward" ? forwarded(outcome, route, answer) : answered(outcome, route, answer);
  const [simulated, seen] = [JSON.stringify(wanted), JSON.stringify(got)];
  return simulated === seen ? undefined : `simulated ${simulated}\nEnvoy     ${seen}`;
}

type Forward = Extract<Outcome, { kind: "forward" }>;
type Pair = readonly [wanted: unknown, got: unknown];

/** What Envoy answers itself. A redirect to TLS comes before any route is looked at. */
function answered(outcome: Exclude<Outcome, Forward>, route: string | undefined, answer: Answer): Pair {
  const { status, location, body } = answer;
  switch (outcome.kind) {
    case "none":
      return [outcome, { kind: "none", status, ...(answer.route === undefined ? {} : { route: answer.route }) }];
    case "redirect":
      return [outcome, { kind: "redirect", status, location }];
    case "direct":
      return [
        { ...outcome, route },
        { kind: "direct", status, body, route: answer.route },
      ];
  }
}

/** The cluster, the route and the request that reached the application. */
function forwarded({ targets }: Forward, route: string | undefined, answer: Answer): Pair {
  const target = targets.find(({ cluster }) => cluster === answer.cluster);
  if (target === undefined || answer.status !== 200) return [{ route, targets }, answer];
  const arrived = JSON.parse(answer.body) as Arrived;
  return [
    { route, request: seen(target.request) },
    { route: answer.route, request: seen({ ...arrived, scheme: "http" }) },
  ];
}

/** What of a request is compared: what routes look at and change. */
function seen({ method, path, authority, headers }: SimulatedRequest): string {
  const kept = [...HEADERS, "x-envoy-original-path"].map((name) => [
    name,
    headers.filter(([key]) => key === name).map(([, value]) => value),
  ]);
  return JSON.stringify({ method, path, authority, headers: kept });
}
