import type { FieldPath } from "../../diagnostics/finding.ts";
import { own } from "../../base/own.ts";
import type { EnvoyFilterFilterMatch } from "../../gen/schema-types.ts";
import type { Report } from "../rule.ts";
import { isGiven, setFields } from "../shared/values.ts";
import { type EnvoyFilterRules, eachPatch, OLD_NAMES } from "./parts.ts";

const CONNECTION_MANAGER = "envoy.filters.network.http_connection_manager";

/** Which part of match belongs to a kind of Envoy object. */
const PART_OF: Readonly<Record<string, "listener" | "routeConfiguration" | "cluster">> = {
  LISTENER: "listener",
  FILTER_CHAIN: "listener",
  NETWORK_FILTER: "listener",
  HTTP_FILTER: "listener",
  LISTENER_FILTER: "listener",
  ROUTE_CONFIGURATION: "routeConfiguration",
  VIRTUAL_HOST: "routeConfiguration",
  HTTP_ROUTE: "routeConfiguration",
  CLUSTER: "cluster",
};

/** Rules about which Envoy objects are meant. */
export const matchRules: EnvoyFilterRules = [
  {
    name: "envoy-filter-match",
    holds: "match asks about the kind of object that applyTo names.",
    severity: "error",
    check: (spec, report) =>
      eachPatch(spec, ({ applyTo = "INVALID", match }, path) => {
        const wanted = own(PART_OF, applyTo);
        if (match === undefined || wanted === undefined) return;
        for (const part of setFields(match, ["listener", "routeConfiguration", "cluster"]))
          if (part !== wanted)
            report([...path, "match", part], `${applyTo} is found by ${wanted}, not by ${part}`, `Write ${wanted}.`);
      }),
  },
  {
    name: "envoy-filter-filter-name",
    holds: "A filter is asked for by its name; one inside another only for HTTP_FILTER, in the connection manager.",
    severity: "error",
    check: (spec, report) =>
      eachPatch(spec, ({ applyTo, match }, path) => {
        const filter = match?.listener?.filterChain?.filter;
        if (filter !== undefined && applyTo !== "LISTENER_FILTER")
          checkFilter(filter, applyTo ?? "", [...path, "match", "listener", "filterChain", "filter"], report);
      }),
  },
  {
    name: "envoy-filter-filter-idle",
    holds: "A filter is asked for only where filters are patched.",
    severity: "warning",
    check: (spec, report) =>
      eachPatch(spec, ({ applyTo, match }, path) => {
        const filter = match?.listener?.filterChain?.filter;
        if (filter !== undefined && (applyTo === "LISTENER" || applyTo === "FILTER_CHAIN"))
          report(
            [...path, "match", "listener", "filterChain", "filter"],
            `a ${applyTo} is not found by its filters: this condition has no effect`,
            "Remove it, or patch NETWORK_FILTER.",
          );
      }),
  },
  {
    name: "envoy-filter-old-name",
    holds: "Filters are asked for by the names they have today.",
    severity: "warning",
    check: (spec, report) =>
      eachPatch(spec, ({ match }, path) => {
        const filter = match?.listener?.filterChain?.filter;
        const at = [...path, "match", "listener", "filterChain", "filter"];
        for (const [name, place] of [
          [filter?.name, [...at, "name"]],
          [filter?.subFilter?.name, [...at, "subFilter", "name"]],
        ] as const) {
          const now = own(OLD_NAMES, name ?? "");
          if (now !== undefined) report(place, `"${name}" is an old name`, `Write ${now}.`);
        }
      }),
  },
];

function checkFilter(filter: EnvoyFilterFilterMatch, applyTo: string, path: FieldPath, report: Report): void {
  const { name = "", subFilter } = filter;
  if (name === "") return report([...path, "name"], "the filter has no name to look for", "Add name.");
  if (subFilter === undefined) return;
  const at = [...path, "subFilter"];
  if (applyTo !== "HTTP_FILTER") report(at, `subFilter is for HTTP_FILTER, got ${applyTo}`, "Remove subFilter.");
  else if (name !== CONNECTION_MANAGER && own(OLD_NAMES, name) !== CONNECTION_MANAGER)
    report(
      [...path, "name"],
      `HTTP filters are inside ${CONNECTION_MANAGER}, got "${name}"`,
      `Write ${CONNECTION_MANAGER}.`,
    );
  else if (!isGiven(subFilter.name)) report([...at, "name"], "the filter has no name to look for", "Add name.");
}
