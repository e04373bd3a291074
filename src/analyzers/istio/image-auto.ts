import { type ConfiguredWebhook, injectionWebhooks } from "../../model/injection-webhooks.ts";
import { decideInjection } from "../../model/injection.ts";
import { PROXY_CONTAINER } from "../../model/pods.ts";
import type { PodSpec } from "../../resources/core.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { isImplied } from "./shared-names.ts";
import { eachWrittenPod, TEMPLATE_KINDS, type WrittenPod } from "./shared-templates.ts";

/**
 * `image: auto` is for injection to fill in: without it the pod waits for an image of that name for ever. The webhooks of the
 * World say who is injected; where none are known, the labels that our own would ask for do.
 */
export const imageAuto = defineAnalyzer({
  name: "image-auto",
  summary: "Checks that pods whose proxy image is left to injection are injected.",
  reads: [...TEMPLATE_KINDS, "Namespace", "MutatingWebhookConfiguration"],
  codes: ["IST0146", "IST0147"],
  analyze: (input) => {
    const webhooks = injectionWebhooks(input.world.list("MutatingWebhookConfiguration"));
    for (const pod of input.world.list("Pod"))
      if (!isImplied(pod) && pod.status?.phase !== undefined && autoIndex(pod.spec) >= 0)
        input.report(pod, imagePath(pod.spec, []), "IST0147", { kind: "Pod", name: pod.metadata.name });
    eachWrittenPod(input.world, (written) => checkWritten(input, written, webhooks));
  },
});

type Input = AnalyzerInput<
  (typeof TEMPLATE_KINDS)[number] | "Namespace" | "MutatingWebhookConfiguration",
  "IST0146" | "IST0147"
>;

function checkWritten(input: Input, written: WrittenPod, webhooks: readonly ConfiguredWebhook[]): void {
  const { object, at, metadata, spec } = written;
  if (autoIndex(spec) < 0 || (object.status as { phase?: string } | undefined)?.phase !== undefined) return;
  const { namespace = "", name } = object.metadata;
  const ofNamespace = input.world.get("Namespace", "", namespace);
  const { inject } = decideInjection({
    pod: { metadata: { ...metadata, name, namespace }, spec },
    namespace: { name: namespace, labels: ofNamespace?.metadata.labels ?? {} },
    calls: webhooks.length === 0 ? "assumed" : webhooks,
  });
  if (inject) return;
  if (ofNamespace === undefined && !input.complete)
    return input.unknown(`injection of ${object.kind} ${namespace}/${name}: its Namespace is not in the files`);
  input.report(object, imagePath(spec, at), "IST0146", { kind: object.kind, name });
}

function autoIndex(spec: PodSpec | undefined): number {
  return (spec?.containers ?? []).findIndex(({ name, image }) => name === PROXY_CONTAINER && image === "auto");
}

function imagePath(spec: PodSpec | undefined, at: readonly string[]): readonly (string | number)[] {
  return [...at, "spec", "containers", autoIndex(spec), "image"];
}
