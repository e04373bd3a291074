import { own } from "../../base/own.ts";
import { INJECT_LABEL } from "../../model/injection.ts";
import type { FieldPath } from "../../diagnostics/finding.ts";
import type { KubeObject } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { podOwner } from "../pod-owner.ts";

/**
 * Labels that decide how a pod joins the mesh. A webhook's selector compares them letter by letter: a value that means nothing
 * is as good as none, and a revision without a control plane injects nobody.
 */
export const injectionLabels = defineAnalyzer({
  name: "injection-labels",
  summary: "Checks values of injection labels, revisions that they name, and that sidecar and ambient are not mixed.",
  reads: ["Namespace", "Pod", "MutatingWebhookConfiguration"],
  codes: ["MSH0133", "MSH0134", "MSH0135"],
  analyze: (input) => {
    const revisions = revisionsOf(input);
    for (const namespace of input.world.list("Namespace")) {
      const labels = namespace.metadata.labels ?? {};
      checkValue(input, labels, { object: namespace, at: [], label: "istio-injection" });
      checkRevision(input, labels, { object: namespace, at: [], revisions });
    }
    for (const pod of input.world.list("Pod")) {
      const { object, at } = podOwner(pod);
      const labels = pod.metadata.labels ?? {};
      checkValue(input, labels, { object, at, label: INJECT_LABEL });
      checkRevision(input, labels, { object, at, revisions });
      checkAmbient(input, { object, at, labels, namespace: pod.metadata.namespace ?? "" });
    }
  },
});

type Input = AnalyzerInput<"Namespace" | "Pod" | "MutatingWebhookConfiguration", "MSH0133" | "MSH0134" | "MSH0135">;
type Labels = Readonly<Record<string, string>>;

const REVISION = "istio.io/rev";
const MODE = "istio.io/dataplane-mode";
const VALUES: Readonly<Record<string, readonly string[]>> = {
  "istio-injection": ["enabled", "disabled"],
  [INJECT_LABEL]: ["true", "false"],
};

function labelPath(at: FieldPath, label: string): FieldPath {
  return [...at, "metadata", "labels", label];
}

function checkValue(
  { report }: Input,
  labels: Labels,
  { object, at, label }: { readonly object: KubeObject; readonly at: FieldPath; readonly label: string },
): void {
  const value = own(labels, label);
  const meant = VALUES[label] ?? [];
  if (value === undefined || meant.includes(value)) return;
  report(object, labelPath(at, label), "MSH0133", { label, value, meant: meant.join(" and ") });
}

/** Revisions and tags that some injection webhook answers to; undefined when no webhook is known. */
function revisionsOf({ world }: Input): ReadonlySet<string> | undefined {
  const webhooks = world.list("MutatingWebhookConfiguration").filter(({ metadata }) => {
    const { app } = metadata.labels ?? {};
    return app === "sidecar-injector" || metadata.name.startsWith("istio-sidecar-injector");
  });
  if (webhooks.length === 0) return undefined;
  const names = webhooks.flatMap(({ metadata, ...rest }) => [
    metadata.labels?.[REVISION] ?? "default",
    metadata.labels?.["istio.io/tag"] ?? "default",
    ...selectedRevisions(rest["webhooks"]),
  ]);
  return new Set(names);
}

/** Values of `istio.io/rev` that the selectors of the webhooks take. */
function selectedRevisions(webhooks: unknown): readonly string[] {
  return list(webhooks).flatMap((webhook) =>
    ["namespaceSelector", "objectSelector"].flatMap((field) =>
      list(member(member(webhook, field), "matchExpressions")).flatMap((expression) =>
        member(expression, "key") === REVISION && member(expression, "operator") === "In"
          ? list(member(expression, "values")).filter((value) => typeof value === "string")
          : [],
      ),
    ),
  );
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
}

function checkRevision(
  { report, unknown, complete }: Input,
  labels: Labels,
  place: {
    readonly object: KubeObject;
    readonly at: FieldPath;
    readonly revisions: ReadonlySet<string> | undefined;
  },
): void {
  const revision = own(labels, REVISION);
  // control planes label their own pods with their revision
  if (revision === undefined || own(labels, "app") === "istiod") return;
  if (place.revisions === undefined && !complete)
    return unknown(`revision ${revision}: no injection webhook is in the files`);
  if (place.revisions?.has(revision) === true) return;
  const known =
    place.revisions === undefined
      ? "no injection webhook is there"
      : `there are ${[...place.revisions].toSorted().join(", ")}`;
  report(place.object, labelPath(place.at, REVISION), "MSH0134", { revision, known });
}

interface LabelledPod {
  readonly object: KubeObject;
  readonly at: FieldPath;
  readonly labels: Labels;
  readonly namespace: string;
}

/** A pod gets one of both: its own labels first, then its namespace's. */
function checkAmbient({ world, report }: Input, { object, at, labels, namespace }: LabelledPod): void {
  const { labels: wide = {} } = world.get("Namespace", "", namespace)?.metadata ?? {};
  const asking =
    own(labels, INJECT_LABEL) === "true" ? INJECT_LABEL : own(labels, REVISION) === undefined ? undefined : REVISION;
  const mode = own(labels, MODE);
  const tell = (label: string, why: string): void => report(object, labelPath(at, label), "MSH0135", { why });
  if (asking === undefined) {
    if (mode === "ambient" && own(wide, "istio-injection") === "enabled")
      tell(MODE, `namespace ${namespace} injects sidecars`);
  } else if (mode === "ambient") tell(MODE, `the pod's labels ask for a sidecar, and ${MODE}=ambient for ambient mode`);
  else if (mode === undefined && own(wide, MODE) === "ambient")
    tell(asking, `namespace ${namespace} is in ambient mode`);
}
