import type { KubeObject } from "../resources/object.ts";
import { type LabelSelector, matchesSelector } from "./label-selector.ts";

/** An entry of a webhook configuration, as far as the mesh reads it. */
export interface InjectionWebhook {
  readonly name?: string;
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
  readonly clientConfig?: {
    readonly url?: string;
    readonly caBundle?: string;
    readonly service?: { readonly name: string; readonly namespace: string };
  };
}

/** A webhook with the configuration that it stands in. */
export interface ConfiguredWebhook {
  readonly object: KubeObject;
  readonly index: number;
  readonly webhook: InjectionWebhook;
}

/** Label of objects and key of selectors by which revisions are told apart. */
export const REVISION_LABEL = "istio.io/rev";

/** Webhooks of a configuration object. */
export function webhooksOf(object: KubeObject): readonly InjectionWebhook[] {
  const webhooks = object["webhooks"];
  return Array.isArray(webhooks) ? (webhooks as readonly InjectionWebhook[]) : [];
}

/** Webhooks that inject: of configurations that name a revision, or with a webhook of `istio.io`. */
export function injectionWebhooks(configurations: readonly KubeObject[]): readonly ConfiguredWebhook[] {
  return configurations
    .filter((object) => revisionsOf(object).length > 0 || webhooksOf(object).some(({ name }) => isOfIstio(name)))
    .flatMap((object) => webhooksOf(object).map((webhook, index) => ({ object, index, webhook })));
}

function isOfIstio(name = ""): boolean {
  return name.endsWith("istio.io");
}

/** Revisions (and tags) that a configuration is for. */
export function revisionsOf(object: KubeObject): readonly string[] {
  const selectors = webhooksOf(object).flatMap(({ namespaceSelector = {}, objectSelector = {} }) => [
    namespaceSelector,
    objectSelector,
  ]);
  const named = selectors.flatMap(({ matchLabels = {}, matchExpressions = [] }) => [
    matchLabels[REVISION_LABEL],
    ...matchExpressions.flatMap(({ key, values = [] }) => (key === REVISION_LABEL ? values : [])),
  ]);
  return [...new Set([object.metadata.labels?.[REVISION_LABEL], ...named])].filter((each) => each !== undefined);
}

/** Webhooks whose selectors take a pod with these labels in a namespace; one that is not known counts as without labels. */
export function webhooksCalled(
  webhooks: readonly ConfiguredWebhook[],
  namespace: { readonly name: string; readonly labels?: Readonly<Record<string, string>> | undefined },
  pod: Readonly<Record<string, string>>,
): readonly ConfiguredWebhook[] {
  // the API server gives every namespace this label; files rarely do
  const labels = { "kubernetes.io/metadata.name": namespace.name, ...namespace.labels };
  return webhooks.filter(
    ({ webhook: { namespaceSelector = {}, objectSelector = {} } }) =>
      matchesSelector(namespaceSelector, labels) && matchesSelector(objectSelector, pod),
  );
}

/** The revision whose control plane a webhook calls: of a tag the one it stands for. */
export function revisionOfWebhook({ object }: Pick<ConfiguredWebhook, "object">): string {
  return object.metadata.labels?.[REVISION_LABEL] ?? revisionsOf(object)[0] ?? "default";
}
