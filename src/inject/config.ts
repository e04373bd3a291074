import type { LabelSelector } from "../model/label-selector.ts";
import type { WorkloadOwner } from "../model/workload.ts";
import type { PodSpec } from "../resources/core.ts";
import type { ObjectMeta } from "../resources/object.ts";

/** Key `config` of ConfigMap istio-sidecar-injector: who is injected, and with what. */
export interface InjectorConfig {
  /** `enabled` injects where nothing else decides, `disabled` does not; any other value injects nobody. */
  readonly policy: string;
  readonly neverInjectSelector?: readonly LabelSelector[];
  readonly alwaysInjectSelector?: readonly LabelSelector[];
  readonly defaultTemplates: readonly string[];
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
  /** Template name -> strategic-merge object with holes (base/template.ts), or YAML text of one. */
  readonly templates: Readonly<Record<string, unknown>>;
}

/** Key `values` of ConfigMap istio-sidecar-injector: Istio's paths, as far as templates and the injector read them. */
export interface InjectorValues {
  readonly global: {
    readonly hub: string;
    readonly tag: string;
    readonly istioNamespace: string;
    readonly imagePullPolicy?: string;
    readonly imagePullSecrets?: readonly string[];
    readonly caAddress?: string;
    readonly meshID?: string;
    readonly network?: string;
    readonly logging?: { readonly level?: string };
    readonly multiCluster?: { readonly clusterName?: string };
    readonly proxy: {
      readonly image: string;
      readonly clusterDomain: string;
      readonly logLevel: string;
      readonly componentLogLevel: string;
      readonly statusPort: number;
      readonly interceptionMode?: string;
      readonly includeIPRanges: string;
      readonly excludeIPRanges: string;
      readonly includeInboundPorts: string;
      readonly excludeInboundPorts: string;
      readonly includeOutboundPorts: string;
      readonly excludeOutboundPorts: string;
      readonly resources: unknown;
      readonly startupProbe: { readonly enabled: boolean; readonly failureThreshold: number };
      readonly readinessInitialDelaySeconds: number;
      readonly readinessPeriodSeconds: number;
      readonly readinessFailureThreshold: number;
    };
  };
  readonly sidecarInjectorWebhook: { readonly rewriteAppHTTPProbe: boolean };
}

/** What the injector reads of MeshConfig; the rest travels to proxies through meshd. */
export interface InjectorMeshConfig {
  readonly trustDomain?: string;
  readonly enablePrometheusMerge?: boolean;
  readonly defaultConfig?: Readonly<Record<string, unknown>>;
}

/** Everything beside the pod that injection depends on. */
export interface InjectContext {
  readonly config: InjectorConfig;
  readonly values: InjectorValues;
  readonly meshConfig: InjectorMeshConfig;
  /** Revision of the control plane; "default" for the unnamed one. */
  readonly revision: string;
  /** Namespace of the pod: at admission a pod does not always carry it. */
  readonly namespace: string;
  /** The workload a pod comes from, when the caller knows it better than the pod's owner reference says. */
  readonly owner?: WorkloadOwner;
  /** Added to the proxy's environment: parts of the webhook's URL (`/inject/cluster/C/net/N`). */
  readonly extraEnv?: Readonly<Record<string, string>>;
}

/** A pod or a pod template: what injection changes. */
export interface PodLike {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec: PodSpec;
  readonly [key: string]: unknown;
}

/** Input that injection cannot work with: a bad annotation, an unknown template. The webhook refuses the pod with this text. */
export class InjectionError extends Error {}
