import type {
  AuthorizationPolicyRule,
  AuthorizationPolicySource,
  LabelSelector,
  TargetRef,
  TelemetryMetricOverride,
} from "../gen/schema-types.ts";
import type { Report, Rules } from "./rule.ts";
import { isAddressOrRange } from "./values.ts";

/** Rules of PeerAuthentication. */
export const peerAuthenticationRules: Rules<"PeerAuthentication"> = [
  {
    name: "peer-authentication-port-selector",
    holds: "Modes by port come with a selector.",
    severity: "error",
    check: (spec, report) => {
      if (spec.portLevelMtls !== undefined && Object.keys(spec.selector?.matchLabels ?? {}).length === 0)
        report(["portLevelMtls"], "portLevelMtls needs a selector with labels", "Add selector.matchLabels.");
    },
  },
  {
    name: "peer-authentication-ports",
    holds: "Ports are numbers from 1 to 65535.",
    severity: "error",
    check: (spec, report) => {
      for (const port of Object.keys(spec.portLevelMtls ?? {}))
        if (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65535)
          report(
            ["portLevelMtls", port],
            `expected a port from 1 to 65535, got "${port}"`,
            "Write the container's port.",
          );
    },
  },
  {
    name: "peer-authentication-selector",
    holds: "A selector has labels.",
    severity: "error",
    check: (spec, report) => checkSelector(spec.selector, report),
  },
];

/** Rules of Telemetry. */
export const telemetryRules: Rules<"Telemetry"> = [
  {
    name: "telemetry-target",
    holds: "selector and targetRefs exclude each other.",
    severity: "error",
    check: (spec, report) => checkTarget(spec, report),
  },
  {
    name: "telemetry-tracing-provider",
    holds: "Tracing names at most one provider.",
    severity: "error",
    check: (spec, report) => {
      for (const [index, tracing] of (spec.tracing ?? []).entries())
        if ((tracing.providers?.length ?? 0) > 1)
          report(["tracing", index, "providers", 1], "only one tracing provider is used", "Keep one of them.");
    },
  },
  {
    name: "telemetry-metric-override",
    holds: "An override names metric or customMetric; a label that is set has a value.",
    severity: "error",
    check: (spec, report) => {
      for (const [index, metrics] of (spec.metrics ?? []).entries())
        for (const [position, override] of (metrics.overrides ?? []).entries())
          checkOverride(override, ["metrics", index, "overrides", position], report);
    },
  },
];

/** Rules of AuthorizationPolicy. */
export const authorizationPolicyRules: Rules<"AuthorizationPolicy"> = [
  {
    name: "authorization-policy-target",
    holds: "selector and targetRefs exclude each other.",
    severity: "error",
    check: (spec, report) => checkTarget(spec, report),
  },
  {
    name: "authorization-policy-provider",
    holds: "CUSTOM names a provider and has rules; other actions name none.",
    severity: "error",
    check: ({ action = "ALLOW", provider, rules }, report) => {
      const named = provider?.name !== undefined && provider.name !== "";
      if (action === "CUSTOM" && !named) report(["action"], "action CUSTOM needs provider.name", "Add provider.name.");
      if (action !== "CUSTOM" && provider !== undefined)
        report(["provider"], `provider is for action CUSTOM, got ${action}`, "Remove provider.");
      if (action === "CUSTOM" && rules === undefined) report(["rules"], "action CUSTOM needs rules", "Add rules.");
    },
  },
  {
    name: "authorization-policy-rules",
    holds: "Sources and operations say something; conditions have values; addresses are IP addresses or ranges.",
    severity: "error",
    check: ({ rules = [] }, report) => {
      for (const [index, rule] of rules.entries()) checkRule(rule, ["rules", index], report);
    },
  },
];

/** Rules of RequestAuthentication. */
export const requestAuthenticationRules: Rules<"RequestAuthentication"> = [
  {
    name: "request-authentication-target",
    holds: "selector and targetRefs exclude each other.",
    severity: "error",
    check: (spec, report) => checkTarget(spec, report),
  },
  {
    name: "request-authentication-keys",
    holds: "An issuer has a name, and keys by address or as text, not both.",
    severity: "error",
    check: ({ jwtRules = [] }, report) => {
      for (const [index, rule] of jwtRules.entries()) {
        const path = ["jwtRules", index];
        const uri = rule.jwksUri ?? rule.jwks_uri;
        if ((rule.issuer ?? "") === "") report([...path, "issuer"], "issuer is missing", "Add issuer.");
        if (uri !== undefined && rule.jwks !== undefined)
          report([...path, "jwks"], "jwks and jwksUri exclude each other", "Keep one of them.");
        if (uri !== undefined && !/^https?:\/\/[^/]+/.test(uri))
          report([...path, "jwksUri"], `"${uri}" is no http or https address`, "Write https://HOST/PATH.");
      }
    },
  },
];

/** Rules of Sidecar. */
export const sidecarRules: Rules<"Sidecar"> = [
  {
    name: "sidecar-egress-hosts",
    holds: "Hosts of egress are written as namespace/name.",
    severity: "error",
    check: ({ egress = [] }, report) => {
      for (const [index, { hosts }] of egress.entries()) {
        if (hosts.length === 0)
          report(["egress", index, "hosts"], "expected at least one host", 'Add a host, e.g. "./*".');
        for (const [position, host] of hosts.entries())
          if (!/^[^/]+\/[^/]+$/.test(host))
            report(
              ["egress", index, "hosts", position],
              `expected namespace/host, got "${host}"`,
              `Write "./${host}".`,
            );
      }
    },
  },
  {
    name: "sidecar-ingress-ports",
    holds: "Ports of ingress have numbers, each used once.",
    severity: "error",
    check: ({ ingress = [] }, report) => {
      const seen = new Set<number>();
      for (const [index, { port }] of ingress.entries()) {
        if (port.number === undefined) report(["ingress", index, "port"], "port.number is missing", "Add the number.");
        else if (seen.has(port.number))
          report(["ingress", index, "port", "number"], `port ${port.number} is given twice`);
        else seen.add(port.number);
      }
    },
  },
];

function checkOverride(override: TelemetryMetricOverride, path: (string | number)[], report: Report): void {
  if (override.match?.metric !== undefined && override.match.customMetric !== undefined)
    report([...path, "match", "customMetric"], "metric and customMetric exclude each other", "Keep one of them.");
  for (const [tag, { operation = "UPSERT", value = "" }] of Object.entries(override.tagOverrides ?? {})) {
    if (operation === "UPSERT" && value === "")
      report([...path, "tagOverrides", tag], `label ${tag} has no value`, "Add value, or operation: REMOVE.");
    if (operation === "REMOVE" && value !== "")
      report([...path, "tagOverrides", tag, "value"], "REMOVE takes no value", "Remove the value.");
  }
}

function checkRule(rule: AuthorizationPolicyRule, path: (string | number)[], report: Report): void {
  for (const [index, { source }] of (rule.from ?? []).entries()) checkSource(source, [...path, "from", index], report);
  for (const [index, { operation }] of (rule.to ?? []).entries())
    if (operation === undefined || Object.keys(operation).length === 0)
      report([...path, "to", index], "an empty operation", "Say what is called, or remove the entry.");
  for (const [index, { values = [], notValues = [] }] of (rule.when ?? []).entries())
    if (values.length + notValues.length === 0)
      report([...path, "when", index], "expected values or notValues", "Add values.");
}

interface Targeted {
  readonly selector?: LabelSelector;
  readonly targetRef?: TargetRef;
  readonly targetRefs?: readonly TargetRef[];
}

function checkTarget({ selector, targetRef, targetRefs }: Targeted, report: Report): void {
  const attached = targetRef !== undefined || (targetRefs?.length ?? 0) > 0;
  if (selector !== undefined && attached)
    report(["selector"], "selector and targetRefs exclude each other", "Keep one of them.");
  checkSelector(selector, report);
}

function checkSelector(selector: LabelSelector | undefined, report: Report): void {
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) {
    if (key === "") report(["selector", "matchLabels"], "a label without a key", "Write the label's key.");
    if (value.includes("*") || key.includes("*"))
      report(
        ["selector", "matchLabels", key],
        `labels are compared as they are, got "${value}"`,
        "Write the whole value.",
      );
  }
}

function checkSource(source: AuthorizationPolicySource | undefined, path: (string | number)[], report: Report): void {
  if (source === undefined || Object.keys(source).length === 0)
    return report(path, "an empty source", "Say who calls, or remove the entry.");
  for (const field of ["ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks"] as const)
    for (const [index, block] of (source[field] ?? []).entries())
      if (!isAddressOrRange(block))
        report([...path, "source", field, index], `"${block}" is no IP address or CIDR range`);
}
