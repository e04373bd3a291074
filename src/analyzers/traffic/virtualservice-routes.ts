import { durationMs } from "../../base/duration.ts";
import type { FieldPath } from "../../diagnostics/finding.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/** Routes that do something else than they seem to say: weights, destinations, retries and faults. */
export const virtualserviceRoutes = defineAnalyzer({
  name: "virtualservice-routes",
  summary: "Finds weights, destinations, retries and faults of routes that do not do what they seem to say.",
  reads: ["VirtualService"],
  codes: ["MSH0113", "MSH0114", "MSH0115", "MSH0116"],
  analyze: (input) => {
    for (const object of input.world.list("VirtualService")) {
      for (const protocol of ["http", "tls", "tcp"] as const)
        for (const [index, { route }] of (object.spec?.[protocol] ?? []).entries())
          checkDestinations(input, object, ["spec", protocol, index, "route"], route ?? []);
      for (const [index, rule] of (object.spec?.http ?? []).entries()) {
        checkRetries(input, object, ["spec", "http", index], rule);
        checkFault(input, object, ["spec", "http", index], rule);
      }
    }
  },
});

type Input = AnalyzerInput<"VirtualService", "MSH0113" | "MSH0114" | "MSH0115" | "MSH0116">;
type VirtualService = KindTypes["VirtualService"];
type Rule = NonNullable<NonNullable<VirtualService["spec"]>["http"]>[number];
type Routed = Pick<NonNullable<Rule["route"]>[number], "destination" | "weight" | "headers">;

function checkDestinations({ report }: Input, object: VirtualService, at: FieldPath, route: readonly Routed[]): void {
  const [only] = route;
  const weight = only?.weight ?? 0;
  if (only !== undefined && route.length === 1 && weight > 0 && weight < 100)
    report(object, [...at, 0, "weight"], "MSH0113", { weight, host: only.destination.host });
  const seen = new Set<string>();
  for (const [index, { destination, headers }] of route.entries()) {
    const { host, subset, port } = destination;
    // one destination with different headers is a way to mark a share of the requests
    const key = JSON.stringify([host, subset, port?.number, headers]);
    const title = `${host}${subset === undefined ? "" : `, subset ${subset}`}`;
    if (seen.has(key)) report(object, [...at, index, "destination"], "MSH0114", { destination: title });
    seen.add(key);
  }
}

/** A try that is cut off by perTryTimeout and the next one together must fit into timeout. */
function checkRetries({ report }: Input, object: VirtualService, at: FieldPath, { retries, timeout }: Rule): void {
  const { attempts = 0, perTryTimeout } = retries ?? {};
  if (attempts === 0 || perTryTimeout === undefined || timeout === undefined) return;
  const [perTry, whole] = [durationMs(perTryTimeout) ?? 0, durationMs(timeout) ?? 0];
  if (perTry === 0 || whole === 0) return;
  const fit = Math.max(0, Math.ceil(whole / perTry) - 1);
  // a whole that cuts off the last ones is often meant
  if (fit * 2 < attempts)
    report(object, [...at, "timeout"], "MSH0115", { attempts, perTry: perTryTimeout, timeout, fit });
}

/** What picks out test requests. A path or a port does not. */
const NARROWING = ["headers", "withoutHeaders", "queryParams", "sourceLabels", "sourceNamespace", "authority"] as const;

function checkFault({ report }: Input, object: VirtualService, at: FieldPath, rule: Rule): void {
  const { fault: { delay = {}, abort = {} } = {} } = rule;
  const shares = { delay: delay.percentage?.value ?? delay.percent ?? 0, abort: abort.percentage?.value ?? 0 };
  for (const [field, what] of Object.entries(FAULTS) as ["delay" | "abort", string][])
    if (shares[field] > 0 && !isNarrowed(rule))
      report(object, [...at, "fault", field], "MSH0116", { what, percent: shares[field] });
}

const FAULTS = { delay: "a delay", abort: "an error" };

function isNarrowed({ match = [] }: Rule): boolean {
  return match.length > 0 && match.every((entry) => NARROWING.some((field) => entry[field] !== undefined));
}
