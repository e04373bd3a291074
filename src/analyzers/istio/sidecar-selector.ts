import { isAmbientNamespace, isAmbientPod } from "../../model/ambient.ts";
import { namedSelector, selects } from "../../model/selectors.ts";
import type { Pod } from "../../resources/core.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { labelsText, listText, podTitle } from "./shared-names.ts";
import { byNamespace, sharedPods } from "./shared-selection.ts";

/**
 * A workload follows one Sidecar: one that selects it, else the one of its namespace without selector. Several are not merged;
 * one that selects nobody, or sits where no sidecars are (ambient mode), does nothing.
 */
export const sidecarSelector = defineAnalyzer({
  name: "sidecar-selector",
  summary: "Checks that Sidecars select workloads with sidecars, and that no two are for the same.",
  reads: ["Sidecar", "Pod", "WorkloadEntry", "Namespace"],
  codes: ["IST0101", "IST0110", "IST0111", "IST0167"],
  analyze: (input) => {
    const selecting: Sidecar[] = [];
    const wide: Sidecar[] = [];
    for (const object of input.world.list("Sidecar"))
      (selectorOf(object) === undefined ? wide : selecting).push(object);
    for (const [namespace, objects] of byNamespace(wide)) checkWide(input, namespace, objects);
    for (const object of selecting) checkSelector(input, object);
    for (const { object, pod, rivals } of sharedPods(selecting, (each) => sidecarPods(input, each))) {
      const sidecars = listText(rivals.map(({ metadata }) => metadata.name));
      const args = { sidecars, namespace: object.metadata.namespace ?? "", pod: podTitle(pod) };
      input.report(object, ["spec", "workloadSelector"], "IST0110", args, ...othersOf(object, rivals));
    }
  },
});

type Sidecar = KindTypes["Sidecar"];
type Input = AnalyzerInput<
  "Sidecar" | "Pod" | "WorkloadEntry" | "Namespace",
  "IST0101" | "IST0110" | "IST0111" | "IST0167"
>;

function selectorOf({ spec }: Sidecar): Readonly<Record<string, string>> | undefined {
  return namedSelector(spec?.workloadSelector?.labels);
}

function podsOf({ model }: Input, object: Sidecar): readonly Pod[] {
  return model.workloads.selected(object.metadata.namespace ?? "", selectorOf(object) ?? {});
}

function sidecarPods(input: Input, object: Sidecar): readonly Pod[] {
  const namespace = input.world.get("Namespace", "", object.metadata.namespace ?? "");
  return podsOf(input, object).filter((pod) => !isAmbientPod(pod, namespace));
}

function othersOf(
  object: Sidecar,
  all: readonly Sidecar[],
): readonly { readonly object: Sidecar; readonly path: readonly string[]; readonly words: string }[] {
  const other = all.find((each) => each !== object);
  return other === undefined ? [] : [{ object: other, path: ["metadata", "name"], words: "another Sidecar for it" }];
}

function checkWide({ world, report }: Input, namespace: string, objects: readonly Sidecar[]): void {
  if (isAmbientNamespace(world.get("Namespace", "", namespace))) {
    const reason = `namespace ${namespace} is in ambient mode and has no sidecars`;
    for (const object of objects) report(object, ["metadata", "name"], "IST0167", { reason });
    return;
  }
  const sidecars = listText(objects.map(({ metadata }) => metadata.name));
  for (const object of objects.length > 1 ? objects : [])
    report(object, ["metadata", "name"], "IST0111", { sidecars, namespace }, ...othersOf(object, objects));
}

function checkSelector(input: Input, object: Sidecar): void {
  const { namespace = "" } = object.metadata;
  const selector = selectorOf(object) ?? {};
  const pods = podsOf(input, object);
  const path = ["spec", "workloadSelector", "labels"];
  if (pods.length > 0) {
    const ofNamespace = input.world.get("Namespace", "", namespace);
    if (!pods.every((pod) => isAmbientPod(pod, ofNamespace))) return;
    return input.report(object, path, "IST0167", { reason: "the workloads that it selects are in ambient mode" });
  }
  if (input.world.list("WorkloadEntry", namespace).some(({ spec }) => selects(selector, spec?.labels ?? {}))) return;
  const name = labelsText(selector);
  if (!input.knows("workloads", namespace))
    return input.unknown(`selector ${name}: no workload of namespace ${namespace} is in the files`);
  const where = `Give labels of pods of namespace ${namespace}: a Sidecar is for its own namespace.`;
  input.report(object, path, "IST0101", { what: "selector", name, where });
}
