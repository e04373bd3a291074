import type { FieldPath } from "../../diagnostics/finding.ts";
import type { DestinationRuleFailover, DestinationRuleLocalityLb } from "../../gen/schema-types.ts";
import type { Report } from "../rule.ts";

/** Labels of nodes that say where an endpoint is. */
const TOPOLOGY: ReadonlySet<string> = new Set([
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
  "topology.istio.io/subzone",
]);

/** Reports ways to share between localities that contradict each other, and shares that do not add up. */
export function checkLocality(locality: DestinationRuleLocalityLb, path: FieldPath, report: Report): void {
  const { distribute = [], failover = [], failoverPriority = [] } = locality;
  if (distribute.length > 0 && failover.length > 0)
    report([...path, "failover"], "distribute and failover exclude each other", "Keep one of them.");
  const topology = failoverPriority.findIndex((label) => TOPOLOGY.has(label));
  if (failover.length > 0 && topology >= 0)
    report(
      [...path, "failoverPriority", topology],
      `failover says already in which order ${failoverPriority[topology]} counts`,
      "Remove one of them.",
    );
  for (const [index, { from = "", to = {} }] of distribute.entries())
    checkShares(from, to, [...path, "distribute", index, "to"], report);
  checkPlaces(
    distribute.map(({ from = "" }) => from),
    (index) => [...path, "distribute", index, "from"],
    report,
  );
  checkFailover(failover, path, report);
}

/** Reports what zone aware load balancing cannot do. */
export function checkZoneAware(
  zones: Pick<DestinationRuleLocalityLb, "failover" | "failoverPriority">,
  path: FieldPath,
  report: Report,
): void {
  for (const [index, label] of (zones.failoverPriority ?? []).entries())
    if (TOPOLOGY.has(label))
      report(
        [...path, "failoverPriority", index],
        `${label} counts already in zone aware load balancing`,
        "Remove it.",
      );
  checkFailover(zones.failover ?? [], path, report);
}

function checkShares(from: string, to: Readonly<Record<string, number>>, path: FieldPath, report: Report): void {
  const shares = Object.entries(to);
  for (const [place, share] of shares)
    if (share < 1 || share > 100) report([...path, place], `expected a share from 1 to 100, got ${share}`);
  const sum = shares.reduce((total, [, share]) => total + share, 0);
  if (sum !== 100) report(path, `shares for ${from} add up to ${sum}, expected 100`, "Correct the shares.");
  const places = shares.map(([place]) => place);
  checkPlaces(places, (index) => [...path, places[index] ?? ""], report);
}

function checkFailover(failover: readonly DestinationRuleFailover[], path: FieldPath, report: Report): void {
  for (const [index, { from = "", to = "" }] of failover.entries()) {
    const at = [...path, "failover", index];
    if (from === to) report(at, `${from} fails over to itself`, "Name another region.");
    if (`${from}${to}`.includes("/")) report(at, "failover is between regions, not zones", "Write the regions alone.");
    if (`${from}${to}`.includes("*"))
      report(at, "failover names regions, without wildcards", "Write one entry a region.");
  }
}

/** Reports localities (`region/zone/subzone`, `*` at the end) that are written wrongly, or that one before them covers. */
function checkPlaces(places: readonly string[], path: (index: number) => FieldPath, report: Report): void {
  const seen: Seen = { places: new Map(), around: new Map() };
  for (const [index, place] of places.entries()) {
    const star = place.indexOf("*");
    if (star !== -1 && star !== place.length - 1)
      report(path(index), `"${place}" has a wildcard that is not at its end`, "Write region/zone/*.");
    else if (place.split("/", 3).includes(""))
      report(path(index), `"${place}" has an empty part`, "Write region, region/zone or region/zone/subzone.");
    else {
      const first = overlapping(place, seen);
      if (first !== undefined) report(path(index), `${place} overlaps with ${first}`, "Make them different places.");
    }
  }
}

/** Places that were seen, and all those around them, with the place that brought them in. */
interface Seen {
  readonly places: Map<string, string>;
  readonly around: Map<string, string>;
}

/** A place that was seen and is this one, around it or inside it: a region covers its zones. Adds the place. */
function overlapping(place: string, { places, around }: Seen): string | undefined {
  const parts = place.split("/").filter((part, index, all) => part !== "*" || index < all.length - 1);
  const prefixes = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
  const whole = prefixes.at(-1) ?? "";
  const found = places.get("") ?? prefixes.map((each) => places.get(each)).find((each) => each !== undefined);
  const inside = around.get(whole);
  places.set(whole, place);
  for (const each of ["", ...prefixes]) around.set(each, place);
  return found ?? inside;
}
