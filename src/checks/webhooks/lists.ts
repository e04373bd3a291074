import { type ConfiguredWebhook, injectionWebhooks } from "../../model/injection-webhooks.ts";
import type { Facts } from "../facts.ts";
import { nameOf } from "../names.ts";
import type { Shapes, Webhook } from "../shapes.ts";

/** A webhook and where it stands. */
export interface Hook {
  readonly configuration: Shapes["MutatingWebhookConfiguration"];
  readonly webhook: Webhook;
}

/** All webhooks of both sorts. */
export async function allHooks(facts: Facts): Promise<readonly Hook[]> {
  const lists = await Promise.all([
    facts.list("MutatingWebhookConfiguration"),
    facts.list("ValidatingWebhookConfiguration"),
  ]);
  return lists
    .flat()
    .flatMap((configuration) => (configuration.webhooks ?? []).map((webhook) => ({ configuration, webhook })));
}

/** Webhooks that can refuse: those that are not told to let pass what they cannot be asked about. */
export async function blockingHooks(facts: Facts): Promise<readonly Hook[]> {
  return (await allHooks(facts)).filter(({ webhook }) => webhook.failurePolicy !== "Ignore");
}

/** Webhooks of the mesh: of `istio.io`. */
export async function meshHooks(facts: Facts): Promise<readonly Hook[]> {
  return (await allHooks(facts)).filter(({ webhook }) => webhook.name.endsWith(".istio.io"));
}

/** Webhooks that inject sidecars of a mesh of Istio's kind. */
export async function injectors(facts: Facts): Promise<readonly ConfiguredWebhook[]> {
  return injectionWebhooks(await facts.list("MutatingWebhookConfiguration"));
}

/** Each configuration once, for messages. */
export function configurationNames(hooks: readonly Hook[]): string {
  return [...new Set(hooks.map(({ configuration }) => nameOf(configuration)))].sort().join(", ");
}

/** Whether a webhook has a say in what is written of a resource; to be told of deletions is none. */
export function covers({ rules = [] }: Webhook, group: string, resource: string): boolean {
  return rules.some(
    ({ apiGroups = [], operations = ["*"], resources = [] }) =>
      operations.some((operation) => operation !== "DELETE") &&
      (apiGroups.includes(group) || apiGroups.includes("*")) &&
      (resources.includes(resource) || resources.includes("*") || resources.includes("*/*")),
  );
}
