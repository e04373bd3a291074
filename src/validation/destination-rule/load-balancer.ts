import type { FieldPath } from "../../diagnostics/finding.ts";
import type { DestinationRuleConsistentHash, DestinationRuleHashCookie } from "../../gen/schema-types.ts";
import type { Report } from "../rule.ts";
import { checkLocality, checkZoneAware } from "../shared/locality.ts";
import { checkDuration, checkUnique, setFields } from "../shared/values.ts";
import { type DestinationRuleRules, eachSettings } from "./parts.ts";

/** Rules about how an endpoint is chosen. */
export const loadBalancerRules: DestinationRuleRules = [
  {
    name: "destination-rule-load-balancer",
    holds: "simple and consistentHash exclude each other.",
    severity: "error",
    check: (spec, report) =>
      eachSettings(spec, ({ loadBalancer }, path) => {
        if (loadBalancer?.simple !== undefined && loadBalancer.consistentHash !== undefined)
          report(
            [...path, "loadBalancer", "consistentHash"],
            "simple and consistentHash exclude each other",
            "Keep one of them.",
          );
      }),
  },
  {
    name: "destination-rule-hash",
    holds: "A hash has one key, and one algorithm.",
    severity: "error",
    check: (spec, report) =>
      eachSettings(spec, ({ loadBalancer }, path) => {
        const hash = loadBalancer?.consistentHash;
        if (hash !== undefined) checkHash(hash, [...path, "loadBalancer", "consistentHash"], report);
      }),
  },
  {
    name: "destination-rule-hash-key",
    holds: "A hash says what is hashed.",
    severity: "warning",
    check: (spec, report) =>
      eachSettings(spec, ({ loadBalancer }, path) => {
        const hash = loadBalancer?.consistentHash;
        if (hash !== undefined && setFields(hash, HASH_KEYS).length === 0)
          report(
            [...path, "loadBalancer", "consistentHash"],
            `nothing is hashed, so endpoints are chosen at random: expected one of ${HASH_KEYS.join(", ")}`,
            "Choose what is hashed.",
          );
      }),
  },
  {
    name: "destination-rule-hash-cookie",
    holds: "A cookie and its attributes have names, each attribute once.",
    severity: "error",
    check: (spec, report) =>
      eachSettings(spec, ({ loadBalancer }, path) => {
        const cookie = loadBalancer?.consistentHash?.httpCookie;
        if (cookie !== undefined)
          checkCookie(cookie, [...path, "loadBalancer", "consistentHash", "httpCookie"], report);
      }),
  },
  {
    name: "destination-rule-maglev",
    holds: "The size of a Maglev table is a prime number below 5000011.",
    severity: "error",
    check: (spec, report) =>
      eachSettings(spec, ({ loadBalancer }, path) => {
        const maglev = loadBalancer?.consistentHash?.maglev;
        const size = maglev?.tableSize ?? 0;
        if (maglev === undefined || (size < 5_000_011 && isPrime(size))) return;
        report(
          [...path, "loadBalancer", "consistentHash", "maglev", "tableSize"],
          `expected a prime number below 5000011, got ${maglev.tableSize ?? "nothing"}`,
          "Use 65537.",
        );
      }),
  },
  {
    name: "destination-rule-locality",
    holds: "Ways to share between localities do not contradict each other; shares add up to 100.",
    severity: "error",
    check: (spec, report) =>
      eachSettings(spec, ({ loadBalancer }, path) => {
        const at = [...path, "loadBalancer"];
        const { localityLbSetting: locality, zoneAwareLbSetting: zones } = loadBalancer ?? {};
        if (locality !== undefined && zones !== undefined)
          report(
            [...at, "zoneAwareLbSetting"],
            "localityLbSetting and zoneAwareLbSetting exclude each other",
            "Keep one of them.",
          );
        if (locality !== undefined) checkLocality(locality, [...at, "localityLbSetting"], report);
        if (zones !== undefined) checkZoneAware(zones, [...at, "zoneAwareLbSetting"], report);
      }),
  },
  {
    name: "destination-rule-failover-detection",
    holds: "Failover comes with outlierDetection: without it no endpoint is ever found failing.",
    severity: "warning",
    check: (spec, report) =>
      eachSettings(spec, ({ loadBalancer, outlierDetection }, path) => {
        if (outlierDetection !== undefined) return;
        for (const field of ["localityLbSetting", "zoneAwareLbSetting"] as const) {
          const { failover = [], failoverPriority = [] } = loadBalancer?.[field] ?? {};
          if (failover.length + failoverPriority.length > 0)
            report(
              [...path, "loadBalancer", field],
              "failover without outlierDetection: only endpoints that Kubernetes calls unready are left",
              "Add outlierDetection.",
            );
        }
      }),
  },
  {
    name: "destination-rule-warmup",
    holds: "A warm-up has a duration; its start is at most 100 percent, its aggression above 0.",
    severity: "error",
    check: (spec, report) =>
      eachSettings(spec, ({ loadBalancer }, path) => {
        const warmup = loadBalancer?.warmup;
        const at = [...path, "loadBalancer", "warmup"];
        checkDuration(warmup?.duration, [...at, "duration"], report);
        if ((warmup?.minimumPercent ?? 0) > 100)
          report([...at, "minimumPercent"], `expected at most 100, got ${warmup?.minimumPercent}`);
        if ((warmup?.aggression ?? 1) <= 0)
          report([...at, "aggression"], `expected more than 0, got ${warmup?.aggression}`);
      }),
  },
];

const HASH_KEYS = ["httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"] as const;

function checkHash(hash: DestinationRuleConsistentHash, path: FieldPath, report: Report): void {
  const keys = setFields(hash, HASH_KEYS);
  if (keys.length > 1)
    report(path, `expected one of ${HASH_KEYS.join(", ")}, got ${keys.join(" and ")}`, "Choose what is hashed.");
  const ways = setFields(hash, ["ringHash", "maglev"]);
  if (ways.length > 1) report([...path, "maglev"], "ringHash and maglev exclude each other", "Keep one of them.");
  if ((hash.minimumRingSize ?? 0) !== 0 && ways.length > 0)
    report(
      [...path, "minimumRingSize"],
      `minimumRingSize and ${ways[0]} exclude each other`,
      "Remove minimumRingSize.",
    );
}

function checkCookie(cookie: DestinationRuleHashCookie, path: FieldPath, report: Report): void {
  if (cookie.name === "") report([...path, "name"], "the cookie has no name", "Write a name.");
  for (const [index, { name }] of (cookie.attributes ?? []).entries())
    if (name === "") report([...path, "attributes", index, "name"], "the attribute has no name", "Write a name.");
  checkUnique(
    cookie.attributes ?? [],
    ({ name }) => (name === "" ? undefined : name),
    (index, name) => report([...path, "attributes", index, "name"], `attribute ${name} is given twice`),
  );
}

/** As Envoy decides it. */
function isPrime(size: number): boolean {
  if (size < 2 || (size > 3 && size % 2 === 0)) return false;
  for (let factor = 3; factor * factor <= size; factor += 2) if (size % factor === 0) return false;
  return true;
}
