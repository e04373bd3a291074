import { namedSelector, selects } from "../../model/selectors.ts";
import { type KubeObject, refOf } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { labelsText } from "../pod-owner.ts";

/**
 * Kinds with a selector that no IST code watches over. (AuthorizationPolicy: IST0127; Gateway, Sidecar, Telemetry: IST0101.)
 * The field under spec that holds the labels.
 */
const KINDS = {
  DestinationRule: ["workloadSelector", "matchLabels"],
  EnvoyFilter: ["workloadSelector", "labels"],
  PeerAuthentication: ["selector", "matchLabels"],
  ProxyConfig: ["selector", "matchLabels"],
  RateLimitPolicy: ["selector", "matchLabels"],
  RequestAuthentication: ["selector", "matchLabels"],
  WasmPlugin: ["selector", "matchLabels"],
} as const;
type PolicyKind = keyof typeof KINDS;

/** A selector without workloads: the object is stored, and nothing happens. */
export const policySelectors = defineAnalyzer({
  name: "policy-selectors",
  summary: "Finds policies whose selector matches no workload.",
  reads: [...(Object.keys(KINDS) as PolicyKind[]), "Pod", "WorkloadEntry", "WorkloadGroup"],
  codes: ["MSH0139"],
  analyze: (input) => {
    for (const kind of Object.keys(KINDS) as PolicyKind[])
      for (const object of input.world.list(kind)) check(input, kind, object);
  },
});

type Input = AnalyzerInput<PolicyKind | "Pod" | "WorkloadEntry" | "WorkloadGroup", "MSH0139">;
type Labels = Readonly<Record<string, string>>;

function check(input: Input, kind: PolicyKind, object: KubeObject): void {
  const [field, part] = KINDS[kind];
  const spec = (object.spec ?? {}) as Readonly<
    Record<string, Readonly<Record<string, Labels | undefined>> | undefined>
  >;
  const selector = namedSelector(spec[field]?.[part]);
  if (selector === undefined) return;
  const { namespace, name } = refOf(object);
  // of the root namespace a PeerAuthentication with selector holds for nobody, the others for the mesh
  const isOwn = kind === "DestinationRule" || kind === "PeerAuthentication";
  const there = isOwn || namespace !== input.model.rootNamespace ? namespace : undefined;
  if (input.model.workloads.selected(there, selector).length > 0 || outside(input, there, selector)) return;
  const where = there === undefined ? "any namespace" : `namespace ${there}`;
  if (!input.knows("workloads", there))
    return input.unknown(`selector of ${kind} ${namespace}/${name}: no workload of ${where} is in the files`);
  input.report(object, ["spec", field, part], "MSH0139", { kind, selector: labelsText(selector), where });
}

/** Workloads outside Kubernetes have labels too. */
function outside({ world }: Input, namespace: string | undefined, selector: Labels): boolean {
  return (
    world.list("WorkloadEntry", namespace).some(({ spec }) => selects(selector, spec?.labels ?? {})) ||
    world.list("WorkloadGroup", namespace).some(({ spec }) => {
      const { metadata } = (spec ?? {}) as { readonly metadata?: { readonly labels?: Labels } };
      return selects(selector, metadata?.labels ?? {});
    })
  );
}
