import { nearest } from "../../base/nearest.ts";
import {
  type ConfiguredWebhook,
  injectionWebhooks,
  REVISION_LABEL,
  revisionsOf,
} from "../../model/injection-webhooks.ts";
import { INJECT_LABEL } from "../../model/injection.ts";
import { matchesSelector } from "../../model/label-selector.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { listText } from "./shared-names.ts";

/**
 * Each combination of the labels that decide about injection must have one webhook at most: two would inject twice. A webhook
 * whose service is not there fails every pod that it selects.
 */
export const webhookOverlap = defineAnalyzer({
  name: "webhook-overlap",
  summary: "Checks that injection webhooks do not overlap and that their services exist.",
  reads: ["MutatingWebhookConfiguration", "Service"],
  codes: ["IST0139"],
  analyze: (input) => {
    const configurations = input.world.list("MutatingWebhookConfiguration");
    const webhooks = injectionWebhooks(configurations);
    const revisions = [...new Set(configurations.flatMap(revisionsOf))].toSorted();
    checkOverlap(input, webhooks, revisions);
    for (const webhook of webhooks) checkService(input, webhook);
  },
});

type Input = AnalyzerInput<"MutatingWebhookConfiguration" | "Service", "IST0139">;
type Labels = Readonly<Record<string, string>>;

function checkOverlap({ report }: Input, webhooks: readonly ConfiguredWebhook[], revisions: readonly string[]): void {
  const rivals = new Map<ConfiguredWebhook, Set<ConfiguredWebhook>>();
  const namespaces = combinations("istio-injection", ["enabled", "disabled"], revisions);
  const pods = combinations(INJECT_LABEL, ["true", "false"], revisions);
  for (const namespace of namespaces) {
    const open = webhooks.filter(({ webhook }) => matchesSelector(webhook.namespaceSelector ?? {}, namespace));
    if (open.length < 2) continue;
    for (const pod of pods) {
      const matching = open.filter(({ webhook }) => matchesSelector(webhook.objectSelector ?? {}, pod));
      for (const one of matching.length > 1 ? matching : [])
        rivals.set(one, new Set([...(rivals.get(one) ?? []), ...matching.filter((other) => other !== one)]));
    }
  }
  for (const [{ object, index }, others] of rivals) {
    const names = [...others].map((other) => `${other.object.metadata.name}/${other.webhook.name ?? ""}`).toSorted();
    const problem = `Webhook overlaps with others: [${listText(names)}]. This may cause injection to occur twice.`;
    const hint = "Remove what an earlier revision left behind, or give a tag to one revision only.";
    const [first] = others;
    const related =
      first === undefined
        ? []
        : [{ object: first.object, path: ["webhooks", first.index], words: "the other webhook" }];
    report(object, ["webhooks", index, "name"], "IST0139", { problem, hint }, ...related);
  }
}

/** Label sets with each value of a switch, or none, and each revision, or none. */
function combinations(label: string, values: readonly string[], revisions: readonly string[]): readonly Labels[] {
  const bases: readonly Labels[] = [{}, ...values.map((value) => ({ [label]: value }))];
  return bases.flatMap((base) => [base, ...revisions.map((revision) => ({ ...base, [REVISION_LABEL]: revision }))]);
}

function checkService(input: Input, { object, index, webhook }: ConfiguredWebhook): void {
  const service = webhook.clientConfig?.service;
  if (service === undefined || input.world.get("Service", service.namespace, service.name) !== undefined) return;
  const name = `${service.namespace}/${service.name}`;
  if (!input.knows("Service", service.namespace))
    return input.unknown(`service ${name} of a webhook: no Service of its namespace is in the files`);
  const close = nearest(
    service.name,
    input.world.list("Service", service.namespace).map(({ metadata }) => metadata.name),
  );
  const hint = close === undefined ? "Remove the webhook of a control plane that is gone." : `Did you mean ${close}?`;
  const problem = `Injector refers to a control plane service that does not exist: ${name}.`;
  input.report(object, ["webhooks", index, "clientConfig", "service", "name"], "IST0139", { problem, hint });
}
