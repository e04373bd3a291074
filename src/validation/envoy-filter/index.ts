import { own } from "../../base/own.ts";
import { checkSelectorEmpty, checkWorkloadSelector } from "../shared/labels.ts";
import { checkTargetRefs } from "../shared/targets.ts";
import { regexProblem, setFields } from "../shared/values.ts";
import { matchRules } from "./match.ts";
import { type EnvoyFilterRules, eachPatch } from "./parts.ts";
import { valueRules } from "./values.ts";

/** Longest regular expression for a version that is looked at. */
const MAX_VERSION = 1024;

const INSERTS: readonly string[] = ["INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST"];

/** Operations that mean nothing for a kind of Envoy object. */
const IDLE: Readonly<Record<string, readonly string[]>> = {
  LISTENER: [...INSERTS, "REPLACE"],
  FILTER_CHAIN: [...INSERTS, "REPLACE"],
  CLUSTER: [...INSERTS, "REPLACE"],
  ROUTE_CONFIGURATION: [...INSERTS, "ADD", "REMOVE", "REPLACE"],
  VIRTUAL_HOST: INSERTS,
  HTTP_ROUTE: ["REPLACE"],
  BOOTSTRAP: [...INSERTS, "ADD", "REMOVE", "REPLACE"],
  EXTENSION_CONFIG: [...INSERTS, "REMOVE", "REPLACE"],
};

/** Rules of EnvoyFilter. */
export const envoyFilterRules: EnvoyFilterRules = [
  {
    name: "envoy-filter-selector",
    holds: "Labels of workloadSelector have keys and no wildcards.",
    severity: "error",
    check: (spec, report) => checkWorkloadSelector(spec.workloadSelector, report),
  },
  {
    name: "envoy-filter-selector-empty",
    holds: "workloadSelector has labels.",
    severity: "warning",
    check: ({ workloadSelector }, report) => {
      if (workloadSelector !== undefined) checkSelectorEmpty(workloadSelector.labels, ["workloadSelector"], report);
    },
  },
  {
    name: "envoy-filter-target",
    holds: "workloadSelector and targetRefs exclude each other.",
    severity: "error",
    check: ({ workloadSelector, targetRefs = [] }, report) => {
      if (workloadSelector !== undefined && targetRefs.length > 0)
        report(["targetRefs"], "workloadSelector and targetRefs exclude each other", "Keep one of them.");
      checkTargetRefs(targetRefs, report);
    },
  },
  {
    name: "envoy-filter-patch",
    holds: "A patch says what kind of object it changes, the operation, and, unless it removes, the value.",
    severity: "error",
    check: (spec, report) =>
      eachPatch(spec, ({ applyTo = "INVALID", patch }, path) => {
        if (applyTo === "INVALID") return report([...path, "applyTo"], "applyTo is missing", "Add applyTo.");
        if (patch === undefined) return report([...path, "patch"], "patch is missing", "Add patch.");
        const { operation = "INVALID", value } = patch;
        if (operation === "INVALID") report([...path, "patch", "operation"], "operation is missing", "Add operation.");
        else if (operation !== "REMOVE" && value === undefined)
          report([...path, "patch", "value"], `operation ${operation} needs a value`, "Add value.");
      }),
  },
  {
    name: "envoy-filter-operation",
    holds: "The operation means something for the kind of object.",
    severity: "warning",
    check: (spec, report) =>
      eachPatch(spec, ({ applyTo = "INVALID", patch }, path) => {
        const operation = patch?.operation ?? "INVALID";
        if (own(IDLE, applyTo)?.includes(operation) === true)
          report(
            [...path, "patch", "operation"],
            `${operation} does nothing to a ${applyTo}`,
            "Use MERGE, or another applyTo.",
          );
        if (operation === "REMOVE" && setFields(patch?.value ?? {}, Object.keys(patch?.value ?? {})).length > 0)
          report([...path, "patch", "value"], "REMOVE takes no value", "Remove value.");
      }),
  },
  {
    name: "envoy-filter-version",
    holds: "The proxy's version is asked for by a regular expression.",
    severity: "error",
    check: (spec, report) =>
      eachPatch(spec, ({ match }, path) => {
        const regex = match?.proxy?.proxyVersion ?? "";
        const problem = regex.length > MAX_VERSION ? undefined : regexProblem(regex);
        if (problem !== undefined)
          report(
            [...path, "match", "proxy", "proxyVersion"],
            `"${regex}" is no regular expression: ${problem}`,
            "Use RE2 syntax.",
          );
      }),
  },
  {
    name: "envoy-filter-version-long",
    holds: "The expression for the proxy's version is short enough to be looked at.",
    severity: "warning",
    check: (spec, report) =>
      eachPatch(spec, ({ match }, path) => {
        const length = match?.proxy?.proxyVersion?.length ?? 0;
        if (length > MAX_VERSION)
          report(
            [...path, "match", "proxy", "proxyVersion"],
            `${length} characters: more than ${MAX_VERSION} are not looked at`,
          );
      }),
  },
  ...matchRules,
  ...valueRules,
];
