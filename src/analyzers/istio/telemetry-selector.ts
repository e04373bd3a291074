import { namedSelector } from "../../model/selectors.ts";
import type { Pod } from "../../resources/core.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { labelsText, listText, podTitle } from "./shared-names.ts";
import { byNamespace, sharedPods } from "./shared-selection.ts";

/**
 * Of several Telemetries for one workload, or of several without selector in a namespace, the oldest counts. Two that say
 * something about different signals are in nobody's way. One with targetRefs is for what it names.
 */
export const telemetrySelector = defineAnalyzer({
  name: "telemetry-selector",
  summary: "Checks that Telemetries select workloads, and that no two configure the same signal of one.",
  reads: ["Telemetry", "Pod"],
  codes: ["IST0101", "IST0159", "IST0160"],
  analyze: (input) => {
    const selecting: Telemetry[] = [];
    const wide: Telemetry[] = [];
    for (const object of input.world.list("Telemetry").filter(({ spec }) => !hasTarget(spec)))
      (namedSelector(object.spec?.selector?.matchLabels) === undefined ? wide : selecting).push(object);
    for (const [namespace, objects] of byNamespace(wide)) checkWide(input, namespace, objects);
    for (const object of selecting) checkSelector(input, object);
    const rival = (a: Telemetry, b: Telemetry): boolean => sharedSignals(a, b).length > 0;
    for (const { object, pod, rivals } of sharedPods(selecting, (each) => podsOf(input, each), rival))
      reportShared(input, object, pod, rivals);
  },
});

type Telemetry = KindTypes["Telemetry"];
type Input = AnalyzerInput<"Telemetry" | "Pod", "IST0101" | "IST0159" | "IST0160">;

const SIGNALS = ["accessLogging", "metrics", "tracing"] as const;

function hasTarget(spec: Telemetry["spec"]): boolean {
  return spec?.targetRef !== undefined || (spec?.targetRefs ?? []).length > 0;
}

function sharedSignals(a: Telemetry, b: Telemetry): readonly string[] {
  return SIGNALS.filter((signal) => a.spec?.[signal] !== undefined && b.spec?.[signal] !== undefined);
}

function podsOf({ model }: Input, { spec, metadata }: Telemetry): readonly Pod[] {
  return model.workloads.selected(metadata.namespace ?? "", spec?.selector?.matchLabels ?? {});
}

function checkWide({ report }: Input, namespace: string, objects: readonly Telemetry[]): void {
  const telemetries = listText(objects.map(({ metadata }) => metadata.name));
  for (const object of objects.length > 1 ? objects : []) {
    const other = objects.find((each) => each !== object) ?? object;
    const related = { object: other, path: ["metadata", "name"], words: "another one for the namespace" };
    report(object, ["metadata", "name"], "IST0160", { telemetries, namespace }, related);
  }
}

function reportShared({ report }: Input, object: Telemetry, pod: Pod, rivals: readonly Telemetry[]): void {
  const telemetries = listText(rivals.map(({ metadata }) => metadata.name));
  const others = rivals.filter((each) => each !== object);
  const signals = [...new Set(others.flatMap((other) => sharedSignals(object, other)))].join(", ");
  const args = { telemetries, namespace: object.metadata.namespace ?? "", pod: podTitle(pod), signals };
  const related = others.map((other) => ({ object: other, path: ["spec", "selector"], words: "another one for it" }));
  report(object, ["spec", "selector"], "IST0159", args, ...related.slice(0, 1));
}

function checkSelector(input: Input, object: Telemetry): void {
  const { namespace = "" } = object.metadata;
  if (podsOf(input, object).length > 0) return;
  const name = labelsText(object.spec?.selector?.matchLabels ?? {});
  if (!input.knows("workloads", namespace))
    return input.unknown(`selector ${name}: no workload of namespace ${namespace} is in the files`);
  const where = `Give labels of pods of namespace ${namespace}: a Telemetry with a selector is for its own namespace.`;
  input.report(object, ["spec", "selector", "matchLabels"], "IST0101", { what: "selector", name, where });
}
