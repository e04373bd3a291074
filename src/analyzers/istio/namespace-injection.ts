import { DATAPLANE_MODE_LABEL } from "../../model/ambient.ts";
import { enableNamespacesByDefault } from "../../model/injector-values.ts";
import { wishedInjection } from "../../model/injection-wish.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import type { Namespace, Pod } from "../../resources/core.ts";

/** Labels of a namespace that decide about the mesh, the strongest first. */
const DECIDING = ["istio-injection", "istio.io/rev", DATAPLANE_MODE_LABEL] as const;

/**
 * A namespace that says nothing leaves its pods outside, which newcomers do not expect; one that says two things gets one of
 * them. Said only of namespaces with pods that nobody decided about: an empty one, or one whose pods carry labels of their own,
 * misses nothing.
 */
export const namespaceInjection = defineAnalyzer({
  name: "namespace-injection",
  summary: "Checks that namespaces with workloads say, once, whether these belong to the mesh.",
  reads: ["Namespace", "Pod", "ConfigMap"],
  codes: ["IST0102", "IST0123", "IST0148"],
  analyze: (input) => {
    const byDefault = enableNamespacesByDefault(input.model.world, input.model.rootNamespace);
    for (const object of input.world.list("Namespace")) {
      if (object.metadata.name === input.model.rootNamespace) continue;
      const labels = DECIDING.filter((label) => object.metadata.labels?.[label] !== undefined);
      if (labels.length > 1) checkSeveral(input, object, labels);
      else if (labels.length === 0) checkNone(input, object, byDefault);
    }
  },
});

type Input = AnalyzerInput<"Namespace" | "Pod" | "ConfigMap", "IST0102" | "IST0123" | "IST0148">;

function checkSeveral({ report }: Input, object: Namespace, labels: readonly string[]): void {
  const values = object.metadata.labels ?? {};
  // out of sidecars, whatever else is said: that is no contradiction
  if (values["istio-injection"] === "disabled") return;
  // out of ambient mode, and a sidecar: neither
  if (labels.length === 2 && values[DATAPLANE_MODE_LABEL] === "none") return;
  const shown = labels.map((label) => `${label}=${values[label] ?? ""}`).join(" ");
  report(object, ["metadata", "labels", labels.at(-1) ?? ""], "IST0123", { labels: shown });
}

function checkNone({ world, report }: Input, object: Namespace, byDefault: boolean): void {
  const namespace = object.metadata.name;
  const undecided = world.list("Pod", namespace).some(isUndecided);
  if (!undecided) return;
  report(object, ["metadata", "name"], byDefault ? "IST0148" : "IST0102", { namespace });
}

/** Whether it is the namespace alone that decides about a pod: it says nothing itself, and could have a sidecar. */
function isUndecided(pod: Pod): boolean {
  return wishedInjection(pod, undefined).outcome === "unknown";
}
