import type { Derivations } from "../base/derive.ts";
import { ClusterError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { splitPem } from "../pki/trust-path.ts";
import type { Cluster } from "../resources/cluster.ts";
import { revisionSuffix } from "../base/revision.ts";
import { apiVersionOf } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import type { World } from "../resources/world.ts";
import type { Runner } from "./runner.ts";
import { createWriterQueue } from "./writer-queue.ts";

export interface WebhookConfigsDeps {
  readonly cluster: Pick<Cluster, "get" | "create" | "replace">;
  readonly world: World;
  readonly derivations: Derivations;
  readonly namespace: string;
  /** Default: the default revision. */
  readonly revision?: string;
  /** PEM of the roots of our own certificate; tracked. */
  readonly bundle: () => string;
  /** Tracked. */
  readonly isLeader: () => boolean;
  readonly log: Logger;
}

const KINDS = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] as const;

interface Webhook {
  readonly name: string;
  readonly clientConfig?: {
    readonly caBundle?: string;
    readonly url?: string;
    readonly service?: { readonly namespace?: string; readonly name?: string };
  };
  readonly failurePolicy?: string;
  readonly rules?: readonly { readonly operations?: readonly string[] }[];
  readonly [key: string]: unknown;
}

/**
 * Consumes the webhook configurations whose service is ours; offers our CA in them, and sets the validating ones to Fail, but
 * only after a deliberately invalid object, written as a dry run, came back refused by ourselves: a webhook that cannot be
 * reached must never be in the way of the user's writing. Those that are asked about deletions stay with Ignore.
 */
export function createWebhookConfigs(deps: WebhookConfigsDeps): Runner {
  const queue = createWriterQueue("webhooks", (key) => bring(deps, key), deps.log);
  let unwatch = (): void => {};
  return {
    name: "webhook-configs",
    start() {
      unwatch = deps.derivations.effect(() => {
        if (!deps.isLeader() || deps.bundle() === "") return;
        for (const kind of KINDS)
          for (const object of deps.world.list(kind))
            if (webhooksOf(object).some((hook) => isOurs(hook, object, deps)))
              queue.add(`${kind}/${object.metadata.name}`);
      });
      return Promise.resolve();
    },
    async close() {
      unwatch();
      await queue.close();
    },
  };
}

function webhooksOf(object: KubeObject): readonly Webhook[] {
  const hooks = object["webhooks"];
  return Array.isArray(hooks) ? (hooks as Webhook[]) : [];
}

/** Of our webhooks, whoever answers them. */
const NAMES = /(^|\.)(sidecar-injector|validation)\.istio\.io$|(^|\.)deletion\.audit\.meshctl\.io$/;

/**
 * Whether a webhook calls our Service: `istiod`, or `istiod-<revision>`. One of our revision may call us by URL, where we run outside
 * of the cluster; ours to write only where nobody else gave it a CA.
 */
function isOurs(hook: Webhook, object: KubeObject, deps: WebhookConfigsDeps): boolean {
  const { namespace, revision = "default", bundle } = deps;
  const { service, url, caBundle = "" } = hook.clientConfig ?? {};
  if (url !== undefined && NAMES.test(hook.name) && object.metadata.labels?.["istio.io/rev"] === revision)
    return caBundle === "" || shareOne(Buffer.from(caBundle, "base64").toString("utf8"), bundle());
  return service?.namespace === namespace && service.name === `istiod${revisionSuffix(revision)}`;
}

/** Whether two bundles have a certificate in common: in a change of roots the old one stays for a while. */
function shareOne(a: string, b: string): boolean {
  const known = new Set(splitPem(b));
  return splitPem(a).some((pem) => known.has(pem));
}

/** One that is asked about deletions alone only writes them down: nothing may wait for it. */
function decidesWrites({ rules = [] }: Webhook): boolean {
  return rules.some(({ operations = [] }) => operations.some((operation) => operation !== "DELETE"));
}

async function bring(deps: WebhookConfigsDeps, key: string): Promise<void> {
  const [kind, name = ""] = key.split("/");
  if (kind !== KINDS[0] && kind !== KINDS[1]) return;
  // From the server: the World passes over changes of the resourceVersion alone, and a replacement needs the newest.
  const object = await deps.cluster.get({ apiVersion: apiVersionOf(kind), kind, name });
  if (object === undefined) return;
  const isValidating = kind === "ValidatingWebhookConfiguration";
  const trusted = withWebhooks(object, (hook) => (isOurs(hook, object, deps) ? withBundle(hook, deps.bundle()) : hook));
  if (trusted !== object) {
    await replace(deps, trusted);
    // The watch brings it back with our CA in it, and then the next step is due.
    return;
  }
  const isToFail = (hook: Webhook): boolean => isOurs(hook, object, deps) && decidesWrites(hook);
  if (!isValidating || webhooksOf(object).every((hook) => hook.failurePolicy === "Fail" || !isToFail(hook))) return;
  await proveReached(deps, webhooksOf(object).some(isOfRevision));
  await replace(
    deps,
    withWebhooks(object, (hook) => (isToFail(hook) ? { ...hook, failurePolicy: "Fail" } : hook)),
  );
}

async function replace(deps: WebhookConfigsDeps, object: KubeObject): Promise<void> {
  try {
    await deps.cluster.replace(object);
    deps.log.info({ kind: object.kind, name: object.metadata.name }, "brought a webhook configuration up to date");
  } catch (error) {
    // It changed or went meanwhile: the watch tells, and we look again.
    if (error instanceof ClusterError && (error.code === "conflict" || error.code === "not-found")) return;
    throw error;
  }
}

/** The same object when nothing changes. */
function withWebhooks(object: KubeObject, change: (hook: Webhook) => Webhook): KubeObject {
  const before = webhooksOf(object);
  const after = before.map(change);
  return after.every((hook, index) => hook === before[index]) ? object : { ...object, webhooks: after };
}

function withBundle(hook: Webhook, bundle: string): Webhook {
  const caBundle = Buffer.from(bundle).toString("base64");
  if (hook.clientConfig?.caBundle === caBundle) return hook;
  return { ...hook, clientConfig: { ...hook.clientConfig, caBundle } };
}

/** Whether a webhook selects objects by their revision. */
function isOfRevision({ objectSelector }: Webhook): boolean {
  const { matchExpressions = [] } = (objectSelector ?? {}) as {
    readonly matchExpressions?: readonly { readonly key: string; readonly operator: string }[];
  };
  return matchExpressions.some(({ key, operator }) => key === "istio.io/rev" && operator === "In");
}

/** Throws unless the API server lets us refuse an invalid Gateway; with our revision's label it asks nobody else. */
async function proveReached(deps: WebhookConfigsDeps, isLabelled: boolean): Promise<void> {
  const probe: KubeObject = {
    apiVersion: apiVersionOf("Gateway"),
    kind: "Gateway",
    metadata: {
      name: "validation-probe",
      namespace: deps.namespace,
      ...(isLabelled ? { labels: { "istio.io/rev": deps.revision ?? "default" } } : {}),
    },
    spec: { servers: [] },
  };
  try {
    await deps.cluster.create(probe, { dryRun: true });
  } catch (error) {
    if (error instanceof ClusterError && error.message.includes("admission webhook")) return;
    throw error;
  }
  throw new ClusterError("webhook-not-reached", "the API server does not ask the validation webhook yet");
}
