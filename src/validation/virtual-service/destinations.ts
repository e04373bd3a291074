import type { FieldPath } from "../../diagnostics/finding.ts";
import type { Destination } from "../../gen/schema-types.ts";
import { checkDestination } from "../shared/destinations.ts";
import { eachHttp, eachRoute, type VirtualServiceRules, type Weighted } from "./parts.ts";

/** Rules about where traffic goes, alike for HTTP, TLS and TCP. */
export const destinationRules: VirtualServiceRules = [
  {
    name: "virtual-service-destinations",
    holds: "Destinations name a host that is no `*`, and a subset that is a DNS label.",
    severity: "error",
    check: (spec, report) => {
      const look = (destination: Destination | undefined, path: FieldPath): void => {
        if (destination !== undefined) checkDestination(destination, path, report);
      };
      eachRoute(spec, (routes, path) => {
        for (const [index, { destination }] of routes.entries()) look(destination, [...path, index, "destination"]);
      });
      eachHttp(spec, (rule, path) => {
        look(rule.mirror, [...path, "mirror"]);
        for (const [index, { destination }] of (rule.mirrors ?? []).entries())
          look(destination, [...path, "mirrors", index, "destination"]);
      });
    },
  },
  {
    name: "virtual-service-weights",
    holds: "Of several destinations at least one has a weight.",
    severity: "error",
    check: (spec, report) =>
      eachRoute(spec, (routes, path) => {
        if (routes.length > 1 && sumOf(routes) === 0)
          report(path, "all weights are 0: no destination gets traffic", "Give each destination a weight.");
      }),
  },
  {
    name: "virtual-service-weights-sum",
    holds: "Weights add up to 100, so that they read as percent.",
    severity: "warning",
    check: (spec, report) =>
      eachRoute(spec, (routes, path) => {
        if (routes.length < 2) return;
        const sum = sumOf(routes);
        if (sum === 0 || sum === 100) return;
        const shares = routes.map((route) => `${((100 * (route.weight ?? 0)) / sum).toFixed(1)}%`).join(", ");
        report(path, `weights add up to ${sum}: the shares are ${shares}`, "Use weights that add up to 100.");
      }),
  },
];

function sumOf(routes: readonly Weighted[]): number {
  return routes.reduce((sum, route) => sum + (route.weight ?? 0), 0);
}
