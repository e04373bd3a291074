import type {
  ClientTls,
  ConnectionPool,
  DestinationRuleLoadBalancer,
  DestinationRuleLocalityLb,
  DestinationRuleOutlierDetection,
  DestinationRulePortPolicy,
  DestinationRuleSpec,
  DestinationRuleTrafficPolicy,
} from "../gen/schema-types.ts";
import type { Report, Rules } from "./rule.ts";
import { checkDuration, checkUnique, hostProblem, isAddress, setFields } from "./values.ts";

/** Rules of DestinationRule. */
export const destinationRuleRules: Rules<"DestinationRule"> = [
  {
    name: "destination-rule-host",
    holds: "The host is a DNS name, a wildcard or an address.",
    severity: "error",
    check: (spec, report) => {
      const problem = isAddress(spec.host) ? undefined : hostProblem(spec.host);
      if (problem !== undefined) report(["host"], `"${spec.host}" is no host: ${problem}`, "Write a DNS name.");
    },
  },
  {
    name: "destination-rule-subsets-unique",
    holds: "Subset names are there and unique.",
    severity: "error",
    check: (spec, report) => {
      for (const [index, subset] of (spec.subsets ?? []).entries())
        if (subset.name === "") report(["subsets", index, "name"], "expected a name, got an empty one");
      checkUnique(
        spec.subsets ?? [],
        (subset) => subset.name,
        (index, name, first) =>
          report(
            ["subsets", index, "name"],
            `subset ${name} is already defined by subsets[${first}]`,
            "Give it another name, or remove it.",
          ),
      );
    },
  },
  {
    name: "destination-rule-ports",
    holds: "Settings for a port name the port.",
    severity: "error",
    check: (spec, report) =>
      eachPolicy(spec, (policy, path) => {
        for (const [index, settings] of (policy.portLevelSettings ?? []).entries())
          if (settings.port?.number === undefined)
            report([...path, "portLevelSettings", index], "port.number is missing", "Add the number of the port.");
      }),
  },
  {
    name: "destination-rule-load-balancer",
    holds: "simple and consistentHash exclude each other; a hash has exactly one key.",
    severity: "error",
    check: (spec, report) =>
      eachSettings(spec, ({ loadBalancer }, path) => {
        if (loadBalancer !== undefined) checkLoadBalancer(loadBalancer, [...path, "loadBalancer"], report);
      }),
  },
  {
    name: "destination-rule-locality",
    holds: "distribute, failover and failoverPriority exclude each other; shares add up to 100.",
    severity: "error",
    check: (spec, report) =>
      eachSettings(spec, ({ loadBalancer }, path) => {
        const locality = loadBalancer?.localityLbSetting;
        if (locality !== undefined) checkLocality(locality, [...path, "loadBalancer", "localityLbSetting"], report);
      }),
  },
  {
    name: "destination-rule-tls",
    holds: "Certificates fit the TLS mode.",
    severity: "error",
    check: (spec, report) =>
      eachSettings(spec, ({ tls }, path) => {
        if (tls !== undefined) checkTls(tls, [...path, "tls"], report);
      }),
  },
  {
    name: "destination-rule-outlier-detection",
    holds: "Shares are percentages; times are at least a millisecond.",
    severity: "error",
    check: (spec, report) =>
      eachSettings(spec, ({ outlierDetection }, path) => {
        if (outlierDetection !== undefined) checkOutliers(outlierDetection, [...path, "outlierDetection"], report);
      }),
  },
  {
    name: "destination-rule-connection-pool",
    holds: "Limits are not negative; times are at least a millisecond.",
    severity: "error",
    check: (spec, report) =>
      eachSettings(spec, ({ connectionPool }, path) => {
        if (connectionPool !== undefined) checkPool(connectionPool, [...path, "connectionPool"], report);
      }),
  },
];

type Path = (string | number)[];
type Settings = DestinationRuleTrafficPolicy | DestinationRulePortPolicy;

/** The policies of the whole service and of each subset. */
function eachPolicy(
  spec: DestinationRuleSpec,
  visit: (policy: DestinationRuleTrafficPolicy, path: Path) => void,
): void {
  if (spec.trafficPolicy !== undefined) visit(spec.trafficPolicy, ["trafficPolicy"]);
  for (const [index, subset] of (spec.subsets ?? []).entries())
    if (subset.trafficPolicy !== undefined) visit(subset.trafficPolicy, ["subsets", index, "trafficPolicy"]);
}

/** The policies, and their settings for single ports. */
function eachSettings(spec: DestinationRuleSpec, visit: (settings: Settings, path: Path) => void): void {
  eachPolicy(spec, (policy, path) => {
    visit(policy, path);
    for (const [index, settings] of (policy.portLevelSettings ?? []).entries())
      visit(settings, [...path, "portLevelSettings", index]);
  });
}

const HASH_KEYS = ["httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"] as const;

function checkLoadBalancer(loadBalancer: DestinationRuleLoadBalancer, path: Path, report: Report): void {
  const { simple, consistentHash } = loadBalancer;
  if (simple !== undefined && consistentHash !== undefined)
    report([...path, "consistentHash"], "simple and consistentHash exclude each other", "Keep one of them.");
  if (consistentHash === undefined) return;
  const keys = setFields(consistentHash, HASH_KEYS);
  if (keys.length !== 1)
    report(
      [...path, "consistentHash"],
      `expected exactly one of ${HASH_KEYS.join(", ")}, got ${keys.join(" and ") || "none"}`,
      "Choose what is hashed.",
    );
  if (consistentHash.ringHash !== undefined && consistentHash.maglev !== undefined)
    report([...path, "consistentHash", "maglev"], "ringHash and maglev exclude each other", "Keep one of them.");
}

function checkLocality(locality: DestinationRuleLocalityLb, path: Path, report: Report): void {
  const ways = setFields(locality, ["distribute", "failover", "failoverPriority"]);
  const both = ways.includes("distribute") && ways.length > 1;
  if (both) report(path, `${ways.join(" and ")} exclude each other`, "Keep one of them.");
  for (const [index, { from, to }] of (locality.distribute ?? []).entries()) {
    const sum = Object.values(to ?? {}).reduce((total, share) => total + share, 0);
    if (sum !== 100)
      report([...path, "distribute", index, "to"], `shares for ${from ?? "?"} add up to ${sum}, expected 100`);
  }
  for (const [index, { from, to }] of (locality.failover ?? []).entries())
    if (from === to)
      report([...path, "failover", index], `${from ?? "?"} fails over to itself`, "Name another region.");
}

function checkTls(tls: ClientTls, path: Path, report: Report): void {
  const given = (name: keyof ClientTls): boolean => (tls[name] ?? "") !== "";
  const files = (["clientCertificate", "privateKey", "caCertificates"] as const).filter(given);
  const own = given("credentialName") ? [...files, "credentialName"] : files;
  if (tls.mode === "ISTIO_MUTUAL" && own.length > 0)
    return report(path, `mode ISTIO_MUTUAL uses the mesh's certificates: ${own.join(", ")} has no place`, "Remove it.");
  if (given("credentialName") && files.length > 0)
    return report(
      [...path, "credentialName"],
      `credentialName and ${files.join(", ")} exclude each other`,
      "Keep one of them.",
    );
  const certified = given("credentialName") || (given("clientCertificate") && given("privateKey"));
  if (tls.mode === "MUTUAL" && !certified)
    report(
      path,
      "mode MUTUAL needs clientCertificate and privateKey, or credentialName",
      "Add the client's certificate.",
    );
}

function checkOutliers(outliers: DestinationRuleOutlierDetection, path: Path, report: Report): void {
  for (const field of ["maxEjectionPercent", "minHealthPercent"] as const) {
    const percent = outliers[field];
    if (percent !== undefined && (percent < 0 || percent > 100))
      report([...path, field], `expected a percentage from 0 to 100, got ${percent}`);
  }
  checkDuration(outliers.interval, [...path, "interval"], report);
  checkDuration(outliers.baseEjectionTime, [...path, "baseEjectionTime"], report);
  if (outliers.consecutiveLocalOriginFailures !== undefined && outliers.splitExternalLocalOriginErrors !== true)
    report(
      [...path, "consecutiveLocalOriginFailures"],
      "consecutiveLocalOriginFailures needs splitExternalLocalOriginErrors: true",
      "Set splitExternalLocalOriginErrors.",
    );
}

function checkPool(pool: ConnectionPool, path: Path, report: Report): void {
  checkDuration(pool.tcp?.connectTimeout, [...path, "tcp", "connectTimeout"], report);
  checkDuration(pool.tcp?.idleTimeout, [...path, "tcp", "idleTimeout"], report, "zero");
  checkDuration(pool.tcp?.maxConnectionDuration, [...path, "tcp", "maxConnectionDuration"], report);
  checkDuration(pool.http?.idleTimeout, [...path, "http", "idleTimeout"], report, "zero");
  for (const [name, limit] of Object.entries(pool.http ?? {}))
    if (typeof limit === "number" && limit < 0) report([...path, "http", name], `expected 0 or more, got ${limit}`);
  if (pool.http?.useClientProtocol === true && pool.http.h2UpgradePolicy === "UPGRADE")
    report(
      [...path, "http", "h2UpgradePolicy"],
      "UPGRADE and useClientProtocol exclude each other",
      "Keep one of them.",
    );
}
