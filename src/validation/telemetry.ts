import { formatProblem } from "../base/format-operators.ts";
import { labelExpression, readProxyExpression } from "../base/proxy-expression.ts";
import { isStandardMetric } from "../base/standard-metrics.ts";
import type { FieldPath } from "../diagnostics/finding.ts";
import type { TelemetryCustomTag, TelemetryMetricOverride, TelemetrySpec } from "../gen/schema-types.ts";
import type { Report, Rules } from "./rule.ts";
import { targetRules } from "./shared/targets.ts";
import { setFields } from "./shared/values.ts";

/** Rules of Telemetry. */
export const telemetryRules: Rules<TelemetrySpec> = [
  ...targetRules<TelemetrySpec>("telemetry"),
  {
    name: "telemetry-tracing-one",
    holds: "There is one entry for traces, with one provider: further ones are not used.",
    severity: "warning",
    check: ({ tracing = [] }, report) => {
      if (tracing.length > 1) report(["tracing", 1], "only the first entry of tracing is used", "Remove the others.");
      for (const [index, { providers = [] }] of tracing.entries())
        if (providers.length > 1)
          report(["tracing", index, "providers", 1], "only one tracing provider is used", "Keep one of them.");
    },
  },
  {
    name: "telemetry-tags",
    holds: "Tags of traces have names, and a value or a place that it comes from.",
    severity: "error",
    check: ({ tracing = [] }, report) => {
      for (const [index, { customTags = {} }] of tracing.entries())
        for (const [name, tag] of Object.entries(customTags)) {
          if (name === "") report(["tracing", index, "customTags"], "a tag without a name", "Write a name.");
          checkTag(tag, ["tracing", index, "customTags", name], report);
        }
    },
  },
  {
    name: "telemetry-metric-override",
    holds: "An override names metric or customMetric; a label that is set has a value.",
    severity: "error",
    check: ({ metrics = [] }, report) => {
      for (const [index, { overrides = [] }] of metrics.entries())
        for (const [position, override] of overrides.entries())
          checkOverride(override, ["metrics", index, "overrides", position], report);
    },
  },
  {
    name: "telemetry-filter",
    holds: "A filter of access logs is an expression in CEL.",
    severity: "error",
    check: ({ accessLogging = [] }, report) => {
      for (const [index, { filter }] of accessLogging.entries())
        if (filter !== undefined)
          checkCel(filter.expression ?? "", ["accessLogging", index, "filter", "expression"], report);
    },
  },
  {
    name: "telemetry-tag-format",
    holds: "A tag of traces that is made by a format has operators that Envoy knows.",
    severity: "error",
    check: ({ tracing = [] }, report) => {
      for (const [index, { customTags = {} }] of tracing.entries())
        for (const [name, { formatter }] of Object.entries(customTags)) {
          const found = formatProblem(formatter?.value ?? "");
          const path = ["tracing", index, "customTags", name, "formatter", "value"];
          if (found !== undefined) report(path, `${found.problem} (at character ${found.at + 1})`, FORMAT_HINT);
        }
    },
  },
  {
    name: "telemetry-metric-label",
    holds: "The value of a metric's label is an expression in CEL that Envoy takes.",
    severity: "error",
    check: (spec, report) => {
      for (const { value, path } of labelsOf(spec)) if (value !== "") checkCel(value, path, report);
    },
  },
  {
    name: "telemetry-metric-label-answer",
    holds: "The value of a metric's label does not convert or join texts that come with the answer.",
    severity: "warning",
    check: (spec, report) => {
      for (const { value, path } of labelsOf(spec))
        if (labelExpression(value)?.when === "never")
          report(path, "the label is always unknown: texts of the answer are not converted or joined", ANSWER_HINT);
    },
  },
  {
    name: "telemetry-metric-custom",
    holds: "A metric that is named by customMetric is one of the standard ones.",
    severity: "warning",
    check: ({ metrics = [] }, report) => {
      for (const [index, { overrides = [] }] of metrics.entries())
        for (const [position, { match }] of overrides.entries())
          if (match?.customMetric !== undefined && !isStandardMetric(match.customMetric))
            report(
              ["metrics", index, "overrides", position, "match", "customMetric"],
              `nobody makes a metric ${match.customMetric}`,
              "Name a standard one, as requests_total.",
            );
    },
  },
];

const FORMAT_HINT = "Write operators of Envoy's access logs, as %RESPONSE_CODE%.";
const ANSWER_HINT = "Write the attribute alone, as response.code, or a condition on it.";

interface Label {
  readonly value: string;
  readonly path: FieldPath;
}

function labelsOf({ metrics = [] }: TelemetrySpec): readonly Label[] {
  return metrics.flatMap(({ overrides = [] }, index) =>
    overrides.flatMap(({ tagOverrides = {} }, position) =>
      Object.entries(tagOverrides).map(([label, { value = "" }]) => ({
        value,
        path: ["metrics", index, "overrides", position, "tagOverrides", label, "value"],
      })),
    ),
  );
}

/** Reports an expression that Envoy would refuse. */
function checkCel(expression: string, path: FieldPath, report: Report): void {
  const read = readProxyExpression(expression);
  if (!("problem" in read)) return;
  const problem = `"${expression}" is no expression in CEL: ${read.problem} (at character ${read.at + 1})`;
  report(path, problem, "Write it as response.code >= 400.");
}

function checkTag(tag: TelemetryCustomTag, path: FieldPath, report: Report): void {
  const kinds = setFields(tag, ["literal", "environment", "header", "formatter"]);
  if (kinds.length > 1)
    report([...path, kinds[1] ?? ""], `${kinds.join(" and ")} exclude each other`, "Keep one of them.");
  for (const field of ["literal", "formatter"] as const)
    if (tag[field]?.value === "") report([...path, field, "value"], "the value is empty", "Write a value.");
  for (const field of ["header", "environment"] as const)
    if (tag[field]?.name === "") report([...path, field, "name"], "the name is empty", `Name the ${field}.`);
}

function checkOverride(override: TelemetryMetricOverride, path: FieldPath, report: Report): void {
  const { metric, customMetric } = override.match ?? {};
  if (metric !== undefined && customMetric !== undefined)
    report([...path, "match", "customMetric"], "metric and customMetric exclude each other", "Keep one of them.");
  for (const [tag, { operation = "UPSERT", value = "" }] of Object.entries(override.tagOverrides ?? {})) {
    if (operation === "UPSERT" && value === "")
      report([...path, "tagOverrides", tag], `label ${tag} has no value`, "Add value, or operation: REMOVE.");
    if (operation === "REMOVE" && value !== "")
      report([...path, "tagOverrides", tag, "value"], "REMOVE takes no value", "Remove the value.");
  }
}
