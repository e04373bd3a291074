import { nearest } from "../../base/nearest.ts";
import type { FieldPath } from "../../diagnostics/finding.ts";
import { annotationFacts, annotationProblem, isMeshAnnotation } from "../../model/annotations.ts";
import { annotationRegistry } from "../../model/annotation-registry.ts";
import type { KubeObject } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { TEMPLATE_KINDS, eachWrittenPod } from "./shared-templates.ts";

/**
 * Annotations that nobody reads do nothing and are not refused: mistyped, on the wrong kind, deprecated. A value that makes no
 * sense has injection refuse the pod. Annotations of pods belong on the template, not on the workload around it.
 */
export const annotation = defineAnalyzer({
  name: "annotation",
  summary: "Checks that annotations of the mesh are known, stand where they are read, and have a meaning.",
  reads: [...TEMPLATE_KINDS, "Namespace", "Service"],
  codes: ["IST0107", "IST0108", "IST0125", "IST0135"],
  analyze: (input) => {
    for (const kind of ["Namespace", "Service"] as const)
      for (const object of input.world.list(kind)) check(input, { object, at: [], kind, holder: object.metadata });
    eachWrittenPod(input.world, ({ object, at, metadata }) => {
      check(input, { object, at, kind: "Pod", holder: metadata });
      if (at.length > 0) check(input, { object, at: [], kind: object.kind, holder: object.metadata });
    });
  },
});

type Input = AnalyzerInput<
  (typeof TEMPLATE_KINDS)[number] | "Namespace" | "Service",
  "IST0107" | "IST0108" | "IST0125" | "IST0135"
>;

interface Place {
  readonly object: KubeObject;
  readonly at: FieldPath;
  readonly kind: string;
  readonly holder: Partial<KubeObject["metadata"]>;
}

const KNOWN = Object.keys(annotationRegistry);

function check(input: Input, place: Place): void {
  const { annotations, labels = {} } = place.holder;
  // made for a Gateway, with its annotations
  if (annotations === undefined || labels["gateway.istio.io/managed"] !== undefined) return;
  for (const key in annotations) if (isMeshAnnotation(key)) checkOne(input, place, key, String(annotations[key]));
}

function checkOne({ report }: Input, place: Place, key: string, value: string): void {
  const { object, at, kind, holder } = place;
  const path = [...at, "metadata", "annotations", key];
  const facts = annotationFacts(key);
  if (facts === undefined)
    return report(object, path, "IST0108", { annotation: key, nearest: nearest(key, KNOWN) ?? "" });
  if (!facts.on.includes("Any") && !facts.on.includes(kind))
    return report(object, path, "IST0107", { annotation: key, kinds: facts.on.join(", ") });
  // with the label beside it, the old form is there for old versions
  const replaced = key === "sidecar.istio.io/inject" && holder.labels?.[key] !== undefined;
  if (facts.deprecated !== undefined && !replaced)
    report(object, path, "IST0135", { annotation: key, instead: facts.deprecated });
  // validation reads what stands in it, field by field
  const problem = key === "proxy.istio.io/config" ? undefined : annotationProblem(key, value);
  if (problem !== undefined) report(object, path, "IST0125", { annotation: key, problem });
}
