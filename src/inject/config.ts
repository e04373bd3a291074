import type { CompileExpression } from "../base/template.ts";
import type { LabelSelector } from "../model/label-selector.ts";
import type { WorkloadOwner } from "../model/workload.ts";
import type { PodSpec } from "../resources/core.ts";
import type { KindTypes } from "../resources/kinds.ts";
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
    /** Suffix of the image's tag: `debug`, `distroless`. */
    readonly variant?: string;
    readonly istioNamespace: string;
    readonly imagePullPolicy?: string;
    readonly imagePullSecrets?: readonly string[];
    readonly caAddress?: string;
    readonly meshID?: string;
    readonly network?: string;
    /** `openshift`; users and groups come from the range of the namespace wherever it has one. */
    readonly platform?: string;
    readonly logAsJson?: boolean;
    readonly logging?: { readonly level?: string };
    readonly multiCluster?: { readonly clusterName?: string };
    readonly proxy_init?: { readonly image?: string; readonly forceApplyIptables?: boolean };
    readonly proxy: ProxyValues;
  };
  readonly pilot?: { readonly cni?: { readonly enabled?: boolean; readonly provider?: string } };
  /** Older name of `pilot.cni`. */
  readonly istio_cni?: { readonly enabled?: boolean };
  readonly sidecarInjectorWebhook: { readonly rewriteAppHTTPProbe: boolean };
}

/** `global.proxy` of the values. */
export interface ProxyValues {
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
  readonly privileged?: boolean;
  readonly capNetBindService?: string;
  readonly seccompProfile?: Readonly<Record<string, unknown>>;
  readonly lifecycle?: Readonly<Record<string, unknown>>;
  readonly holdApplicationUntilProxyStarts?: boolean;
  readonly outlierLogPath?: string;
  readonly startupProbe: { readonly enabled: boolean; readonly failureThreshold: number };
  readonly readinessInitialDelaySeconds: number;
  readonly readinessPeriodSeconds: number;
  readonly readinessFailureThreshold: number;
}

/** What the injector reads of MeshConfig; the rest travels to proxies through meshd. */
export interface InjectorMeshConfig {
  readonly rootNamespace?: string;
  readonly trustDomain?: string;
  readonly proxyListenPort?: number;
  readonly proxyInboundListenPort?: number;
  readonly inboundTrafficPolicy?: { readonly mode?: string };
  readonly extensionProviders?: readonly Readonly<Record<string, unknown>>[];
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
  /** Annotations of that namespace: OpenShift writes there which users it may have. */
  readonly namespaceAnnotations?: Readonly<Record<string, string>>;
  /** ProxyConfig objects of the pod's namespace and of the root namespace; others do no harm. */
  readonly proxyConfigs?: readonly KindTypes["ProxyConfig"][];
  /** Whether the cluster has native sidecars (model/native-sidecars.ts); false when absent. The pod's annotation decides before. */
  readonly nativeSidecars?: boolean;
  /** The language of `${{ }}` in templates, see loadExpressions. */
  readonly expressions?: CompileExpression;
  /** Added to the proxy's environment: parts of the webhook's URL (`/inject/cluster/C/net/N`). */
  readonly extraEnv?: Readonly<Record<string, string>>;
}

/** A pod or a pod template: what injection changes. */
export interface PodLike {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec: PodSpec;
  readonly [key: string]: unknown;
}

/** What an InjectionError knows beside its words. */
export interface InjectionProblem {
  readonly hint?: string | undefined;
  /** Template at fault, and the line in its text, from 1. */
  readonly template?: string;
  readonly line?: number;
}

/** Input that injection cannot work with: a bad annotation, an unknown template. The webhook refuses the pod with this text. */
export class InjectionError extends Error {
  readonly problem: InjectionProblem;
  constructor(message: string, problem: InjectionProblem = {}) {
    super(message);
    this.problem = problem;
  }
}
