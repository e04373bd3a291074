import { revisionSuffix } from "../base/revision.ts";
import { VERSION } from "../gen/version.ts";
import { REVISION_LABEL, webhooksOf } from "../model/injection-webhooks.ts";
import type { ClusterReader } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import { documents, KIND_ORDER, MANAGED_LABELS } from "./render.ts";
import { TAG_LABEL } from "./revisions.ts";
import { serviceClient } from "./variables.ts";

/** What a tag is made from. */
export interface TagRequest {
  readonly tag: string;
  readonly revision: string;
  /** Of the control plane. */
  readonly namespace: string;
  /** Name of the webhook configuration; default `istio-revision-tag-TAG`. */
  readonly webhookName?: string | undefined;
  /** Tag `default` alone: namespaces that say nothing ask for it too. */
  readonly autoInject?: boolean | undefined;
}

/** Name of the webhook configuration by which the control plane behind tag `default` validates configuration. */
export const DEFAULT_VALIDATOR = "istiod-default-validator";

/**
 * The objects of a tag, in the order of applying: webhooks that ask the revision's control plane, under the tag's name (for `default`
 * those of istio-injection=enabled too, and validation), a Service, and the right to keep the webhooks' CA up to date. `injector`
 * is the revision's own webhook configuration: the tag reaches the control plane in the same way. Source: istioctl.md 2.10.
 */
export function tagObjects(request: TagRequest, injector: KubeObject): readonly KubeObject[] {
  const { tag, revision, namespace } = request;
  const [own] = webhooksOf(injector) as readonly OwnWebhook[];
  const isDefault = tag === "default";
  const webhookName = request.webhookName ?? `istio-revision-tag-${tag}`;
  const values = { sidecarInjectorWebhook: { reinvocationPolicy: own?.reinvocationPolicy ?? "Never" } };
  const suffix = revisionSuffix(revision);
  const injectsByDefault = isDefault && request.autoInject === true;
  const injectClient = own?.clientConfig ?? {};
  const clients = { injectClient, validateClient: validateClient({ revision, namespace }, injectClient) };
  const common = { tag, namespace, suffix, isDefault, injectsByDefault, webhookName, values, ...clients };
  const hooks = documents("webhooks", { ...common, revision: tag }).flatMap((hook) => {
    if (hook.kind === "MutatingWebhookConfiguration") return [named(hook, webhookName)];
    return isDefault ? [defaultValidator(hook)] : [];
  });
  const objects = [...documents("tag", { ...common, revision }), ...hooks];
  const place = ({ kind }: KubeObject): number => KIND_ORDER.indexOf(kind);
  return objects.map((object) => withTagLabels(object, request)).toSorted((a, b) => place(a) - place(b));
}

interface ClientConfig {
  readonly url?: string;
  readonly caBundle?: string;
}

interface OwnWebhook {
  readonly name?: string;
  readonly clientConfig?: ClientConfig;
  readonly reinvocationPolicy?: string;
}

function named(object: KubeObject, name: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, name } };
}

/** Only what is of no revision: each revision validates its own objects anyway. */
function defaultValidator(hook: KubeObject): KubeObject {
  const webhooks = (hook["webhooks"] as readonly OwnWebhook[]).filter(
    ({ name }) => name !== undefined && UNLABELLED.includes(name),
  );
  return { ...named(hook, DEFAULT_VALIDATOR), webhooks };
}

/** Validation where injection is: at the Service, or at the address of another cluster's control plane. */
function validateClient(
  service: { readonly revision: string; readonly namespace: string },
  { url, caBundle }: ClientConfig,
): ClientConfig {
  const client = url === undefined ? serviceClient(service, "/validate") : { url: new URL("/validate", url).href };
  return { ...client, ...(caBundle === undefined ? {} : { caBundle }) };
}

/** Webhooks that are asked about objects without a revision. */
const UNLABELLED: readonly string[] = ["validation.istio.io", "deletion.audit.meshctl.io"];

function withTagLabels(object: KubeObject, { tag, revision, namespace }: TagRequest): KubeObject {
  const labels = {
    ...object.metadata.labels,
    "app.kubernetes.io/part-of": "istio",
    "app.kubernetes.io/version": VERSION,
    ...MANAGED_LABELS,
    "install.operator.istio.io/owning-resource": "meshctl",
    "install.operator.istio.io/owning-resource-namespace": namespace,
    "operator.istio.io/component": "Pilot",
    "operator.istio.io/version": VERSION,
    [REVISION_LABEL]: revision,
    [TAG_LABEL]: tag,
  };
  return { ...object, metadata: { ...object.metadata, labels } };
}

/** Kinds that a tag consists of. */
const TAG_KINDS = [
  ["v1", "Service"],
  ["rbac.authorization.k8s.io/v1", "ClusterRole"],
  ["rbac.authorization.k8s.io/v1", "ClusterRoleBinding"],
  ["admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"],
  ["admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"],
] as const;

/** The objects of a tag that are there, in the order in which they should go: webhooks first. */
export async function liveTagObjects(cluster: ClusterReader, tag: string): Promise<readonly KubeObject[]> {
  const lists = await Promise.all(
    TAG_KINDS.map(async ([apiVersion, kind]) =>
      (await cluster.list({ apiVersion, kind }, { labelSelector: `${TAG_LABEL}=${tag}` })).map((object) => ({
        ...object,
        apiVersion,
        kind,
      })),
    ),
  );
  return lists.flat().toReversed();
}

/** Whether any revision injects into this cluster. */
export async function hasInjector(cluster: ClusterReader): Promise<boolean> {
  const kind = { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration" };
  return (await cluster.list(kind)).some(({ metadata }) => metadata.labels?.[REVISION_LABEL] !== undefined);
}

/** The revision's own injection webhooks; undefined when it has none. */
export async function injectorOf(cluster: ClusterReader, revision: string): Promise<KubeObject | undefined> {
  const apiVersion = "admissionregistration.k8s.io/v1";
  const kind = "MutatingWebhookConfiguration";
  const found = await cluster.list({ apiVersion, kind }, { labelSelector: `${REVISION_LABEL}=${revision}` });
  const own = found.find(({ metadata }) => metadata.labels?.[TAG_LABEL] === undefined);
  return own === undefined ? undefined : { ...own, apiVersion, kind };
}
