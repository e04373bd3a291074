import type { Rules } from "./rule.ts";

const DRY_RUN = "istio.io/dry-run";
const INTERNAL = ["internal.istio.io/parents", "internal.istio.io/parent-namespace"] as const;
const REJECT = "internal.istio.io/webhook-always-reject";

/** What Go reads as a switch. */
const SWITCH = /^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/;

/** Rules of annotations, for every Istio kind. */
export const metadataRules: Rules<unknown> = [
  {
    name: "metadata-dry-run",
    holds: "The annotation istio.io/dry-run is on an AuthorizationPolicy with action ALLOW or DENY, as true or false.",
    severity: "error",
    check: (spec, _report, { object, metadata }) => {
      const value = object.metadata.annotations?.[DRY_RUN];
      if (value === undefined) return;
      const path = ["annotations", DRY_RUN];
      const action = (spec as { readonly action?: string }).action ?? "ALLOW";
      if (object.kind !== "AuthorizationPolicy") metadata(path, `${DRY_RUN} is for AuthorizationPolicy`, "Remove it.");
      else if (action !== "ALLOW" && action !== "DENY")
        metadata(path, `${DRY_RUN} is for actions ALLOW and DENY, got ${action}`, "Remove it.");
      else if (!SWITCH.test(value)) metadata(path, `expected "true" or "false", got "${value}"`);
    },
  },
  {
    name: "metadata-internal",
    holds: "Annotations that the control plane writes for itself are not set by users.",
    severity: "error",
    check: (_spec, _report, { object, metadata }) => {
      for (const name of INTERNAL)
        if (object.metadata.annotations?.[name] !== undefined)
          metadata(["annotations", name], `${name} is for the control plane alone`, "Remove it.");
    },
  },
  {
    name: "metadata-always-reject",
    holds: "The annotation that asks for a refusal is not there.",
    severity: "error",
    check: (_spec, _report, { object, metadata }) => {
      if (object.metadata.annotations?.[REJECT] !== undefined)
        metadata(["annotations", REJECT], `${REJECT} asks for a refusal`, "Remove it.");
    },
  },
];
