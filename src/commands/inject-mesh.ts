import type { InjectorPolicy } from "../model/injection-rules.ts";
import { type ConfiguredWebhook, injectionWebhooks } from "../model/injection-webhooks.ts";
import { InjectionError } from "../inject/config.ts";
import { readInjectorSettings } from "../inject/context.ts";
import type { Cluster, KindRef } from "../resources/cluster.ts";
import type { ConfigMap } from "../resources/core.ts";
import type { KubeObject } from "../resources/object.ts";

const WEBHOOKS: KindRef = { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration" };

/** Settings of an injector that the decision reads. */
export interface DecidingSettings {
  readonly policy: InjectorPolicy;
  readonly byDefault: boolean;
}

/** What decides about injection in a cluster. */
export interface InjectionMesh {
  readonly webhooks: readonly ConfiguredWebhook[];
  /** Labels of a namespace; undefined when there is none of that name. */
  labelsOf(namespace: string): Promise<Readonly<Record<string, string>> | undefined>;
  /** Undefined when the ConfigMap of the revision is not there or not readable. */
  settingsOf(revision: string): Promise<DecidingSettings | undefined>;
}

/** Reads it from a cluster; settings and namespaces only as they are asked for. */
export async function readInjectionMesh(cluster: Cluster, istioNamespace: string): Promise<InjectionMesh> {
  const webhooks = injectionWebhooks(await cluster.list(WEBHOOKS));
  const get = (kind: string, name: string, namespace?: string): Promise<KubeObject | undefined> =>
    cluster.get({ apiVersion: "v1", kind, name, ...(namespace === undefined ? {} : { namespace }) });
  const settings = new Map<string, Promise<DecidingSettings | undefined>>();
  const read = async (revision: string): Promise<DecidingSettings | undefined> => {
    const suffix = revision === "default" ? "" : `-${revision}`;
    const map = await get("ConfigMap", `istio-sidecar-injector${suffix}`, istioNamespace);
    return map === undefined ? undefined : decidingSettings(map as ConfigMap);
  };
  return {
    webhooks,
    labelsOf: async (name) => {
      const namespace = await get("Namespace", name);
      return namespace === undefined ? undefined : (namespace.metadata.labels ?? {});
    },
    settingsOf(revision) {
      const found = settings.get(revision) ?? read(revision);
      settings.set(revision, found);
      return found;
    },
  };
}

function decidingSettings(injector: ConfigMap): DecidingSettings | undefined {
  const mesh: ConfigMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "istio" }, data: { mesh: "" } };
  try {
    const { config, values } = readInjectorSettings({ mesh, injector });
    return { policy: config, byDefault: isByDefault(values) };
  } catch (error) {
    if (error instanceof InjectionError) return undefined;
    throw error;
  }
}

/** values.sidecarInjectorWebhook.enableNamespacesByDefault. */
export function isByDefault(values: object): boolean {
  const { sidecarInjectorWebhook } = values as { sidecarInjectorWebhook?: { enableNamespacesByDefault?: boolean } };
  return sidecarInjectorWebhook?.enableNamespacesByDefault === true;
}
