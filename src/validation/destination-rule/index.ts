import { checkPool } from "../shared/connection-pool.ts";
import { checkExportTo } from "../shared/export-to.ts";
import { checkHost, isLabel } from "../shared/hosts.ts";
import { checkLabels, checkSelector, checkSelectorEmpty } from "../shared/labels.ts";
import { checkDuration, checkPercent, checkUnique, setFields } from "../shared/values.ts";
import { loadBalancerRules } from "./load-balancer.ts";
import { type DestinationRuleRules, eachPolicy, eachSettings } from "./parts.ts";
import { clientTlsRules } from "./tls.ts";
import { tunnelRules } from "./tunnel.ts";

const SETTINGS = ["loadBalancer", "connectionPool", "outlierDetection", "tls"] as const;
const POLICY = [...SETTINGS, "portLevelSettings", "tunnel", "proxyProtocol", "retryBudget"] as const;

/** Rules of DestinationRule. */
export const destinationRuleRules: DestinationRuleRules = [
  {
    name: "destination-rule-host",
    holds: "The host is a DNS name or a wildcard.",
    severity: "error",
    check: (spec, report) => void checkHost(spec.host, ["host"], report),
  },
  {
    name: "destination-rule-subsets",
    holds: "Names of subsets are DNS labels; their labels are ones that Kubernetes could have.",
    severity: "error",
    check: ({ subsets = [] }, report) => {
      for (const [index, { name, labels }] of subsets.entries()) {
        const words = name === "" ? "expected a name, got an empty one" : `"${name}" is no name of a subset`;
        if (!isLabel(name)) report(["subsets", index, "name"], words, "Use letters, digits and -.");
        checkLabels(labels, ["subsets", index, "labels"], report);
      }
    },
  },
  {
    name: "destination-rule-subsets-unique",
    holds: "Names of subsets are unique.",
    severity: "error",
    check: ({ subsets = [] }, report) =>
      checkUnique(
        subsets,
        (subset) => subset.name,
        (index, name, first) =>
          report(
            ["subsets", index, "name"],
            `subset ${name} is already defined by subsets[${first}]`,
            "Give it another name, or remove it.",
          ),
      ),
  },
  {
    name: "destination-rule-policy-empty",
    holds: "A traffic policy says something.",
    severity: "error",
    check: (spec, report) =>
      eachPolicy(spec, (policy, path) => {
        if (setFields(policy, POLICY).length === 0)
          report(path, `expected at least one of ${POLICY.join(", ")}`, "Add one, or remove trafficPolicy.");
        for (const [index, settings] of (policy.portLevelSettings ?? []).entries())
          if (setFields(settings, SETTINGS).length === 0)
            report(
              [...path, "portLevelSettings", index],
              `expected at least one of ${SETTINGS.join(", ")}`,
              "Add one, or remove the entry.",
            );
      }),
  },
  {
    name: "destination-rule-ports",
    holds: "Settings for a port name the port.",
    severity: "error",
    check: (spec, report) =>
      eachPolicy(spec, (policy, path) => {
        for (const [index, settings] of (policy.portLevelSettings ?? []).entries())
          if ((settings.port?.number ?? 0) === 0)
            report([...path, "portLevelSettings", index], "port.number is missing", "Add the number of the port.");
      }),
  },
  {
    name: "destination-rule-outlier-detection",
    holds: "Shares are percentages; times are whole milliseconds.",
    severity: "error",
    check: (spec, report) =>
      eachSettings(spec, ({ outlierDetection }, path) => {
        if (outlierDetection === undefined) return;
        const at = [...path, "outlierDetection"];
        checkPercent(outlierDetection.maxEjectionPercent, [...at, "maxEjectionPercent"], report);
        checkPercent(outlierDetection.minHealthPercent, [...at, "minHealthPercent"], report);
        checkDuration(outlierDetection.interval, [...at, "interval"], report);
        checkDuration(outlierDetection.baseEjectionTime, [...at, "baseEjectionTime"], report);
      }),
  },
  {
    name: "destination-rule-local-origin",
    holds: "consecutiveLocalOriginFailures comes with splitExternalLocalOriginErrors.",
    severity: "error",
    check: (spec, report) =>
      eachSettings(spec, ({ outlierDetection }, path) => {
        if ((outlierDetection?.consecutiveLocalOriginFailures ?? 0) === 0) return;
        if (outlierDetection?.splitExternalLocalOriginErrors !== true)
          report(
            [...path, "outlierDetection", "consecutiveLocalOriginFailures"],
            "consecutiveLocalOriginFailures needs splitExternalLocalOriginErrors: true",
            "Set splitExternalLocalOriginErrors.",
          );
      }),
  },
  {
    name: "destination-rule-connection-pool",
    holds: "Limits say something, and are not negative; times are whole milliseconds.",
    severity: "error",
    check: (spec, report) =>
      eachSettings(spec, ({ connectionPool }, path) => checkPool(connectionPool, [...path, "connectionPool"], report)),
  },
  {
    name: "destination-rule-export-to",
    holds: "Namespaces of exportTo are names, each once; `*` stands alone; with a workloadSelector only this one.",
    severity: "error",
    check: ({ exportTo, workloadSelector }, report, { namespace }) => {
      checkExportTo(exportTo, namespace, "no none", report);
      if (workloadSelector !== undefined && (exportTo ?? []).some((entry) => entry !== "." && entry !== namespace))
        report(["exportTo"], "with a workloadSelector the rule holds in this namespace alone", 'Write ["."].');
    },
  },
  {
    name: "destination-rule-selector",
    holds: "Labels of workloadSelector have keys and no wildcards.",
    severity: "error",
    check: (spec, report) => checkSelector(spec.workloadSelector, report, "workloadSelector"),
  },
  {
    name: "destination-rule-selector-empty",
    holds: "workloadSelector has labels.",
    severity: "warning",
    check: ({ workloadSelector }, report) => {
      if (workloadSelector !== undefined)
        checkSelectorEmpty(workloadSelector.matchLabels, ["workloadSelector"], report);
    },
  },
  ...loadBalancerRules,
  ...clientTlsRules,
  ...tunnelRules,
];
