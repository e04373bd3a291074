import type { LabelSelector } from "../model/label-selector.ts";
import type { KubeObject } from "../resources/object.ts";

/** Objects of Kubernetes, as far as checks read them. Every member may be missing: they come from any cluster. */

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

type Quantities = Readonly<Record<string, string>>;

export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly resources?: { readonly requests?: Quantities; readonly limits?: Quantities };
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: { readonly reason?: string; readonly exitCode?: number };
  };
  readonly lastState?: { readonly terminated?: { readonly reason?: string } };
}

export interface PodSpec {
  readonly nodeName?: string;
  readonly hostNetwork?: boolean;
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
}

type Pod = KubeObject<
  PodSpec,
  {
    readonly phase?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  }
>;

type Deployment = KubeObject<
  { readonly replicas?: number; readonly template?: { readonly metadata?: object; readonly spec?: PodSpec } },
  {
    readonly observedGeneration?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly conditions?: readonly Condition[];
  }
>;

type Node = KubeObject<
  {
    readonly unschedulable?: boolean;
    readonly taints?: readonly { readonly key: string; readonly effect: string }[];
  },
  {
    readonly conditions?: readonly Condition[];
    readonly allocatable?: Quantities;
    readonly images?: readonly { readonly names?: readonly string[] }[];
    readonly nodeInfo?: {
      readonly architecture?: string;
      readonly operatingSystem?: string;
      readonly kernelVersion?: string;
      readonly kubeletVersion?: string;
      readonly containerRuntimeVersion?: string;
    };
  }
>;

type Service = KubeObject<
  {
    readonly type?: string;
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly {
      readonly name?: string;
      readonly port: number;
      readonly targetPort?: number | string;
    }[];
    readonly externalIPs?: readonly string[];
    readonly externalName?: string;
  },
  { readonly loadBalancer?: { readonly ingress?: readonly unknown[] } }
>;

interface EndpointSlice extends KubeObject {
  readonly endpoints?: readonly { readonly conditions?: { readonly ready?: boolean } }[];
}

/** One entry of a webhook configuration. */
export interface Webhook {
  readonly name: string;
  readonly failurePolicy?: string;
  readonly sideEffects?: string;
  readonly timeoutSeconds?: number;
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
  readonly rules?: readonly {
    readonly apiGroups?: readonly string[];
    readonly resources?: readonly string[];
    readonly operations?: readonly string[];
  }[];
  readonly clientConfig?: {
    readonly caBundle?: string;
    readonly url?: string;
    readonly service?: { readonly name: string; readonly namespace: string; readonly port?: number };
  };
}

interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly Webhook[];
}

type Crd = KubeObject<
  {
    readonly group?: string;
    readonly names?: { readonly kind?: string; readonly plural?: string };
    readonly conversion?: { readonly strategy?: string };
    readonly versions?: readonly { readonly name: string; readonly served?: boolean; readonly storage?: boolean }[];
  },
  { readonly conditions?: readonly Condition[]; readonly storedVersions?: readonly string[] }
>;

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

interface Secret extends ConfigMap {
  readonly type?: string;
}

interface Binding extends KubeObject {
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace?: string }[];
}

type Quota = KubeObject<{ readonly hard?: Quantities }, { readonly hard?: Quantities; readonly used?: Quantities }>;

type LimitRange = KubeObject<{
  readonly limits?: readonly {
    readonly type?: string;
    readonly min?: Quantities;
    readonly max?: Quantities;
  }[];
}>;

/** API version and shape of each kind that checks list. */
export interface Shapes {
  readonly Node: Node;
  readonly Namespace: KubeObject;
  readonly Pod: Pod;
  readonly Service: Service;
  readonly ConfigMap: ConfigMap;
  readonly Secret: Secret;
  readonly ServiceAccount: KubeObject;
  readonly ResourceQuota: Quota;
  readonly LimitRange: LimitRange;
  readonly Deployment: Deployment;
  readonly DaemonSet: KubeObject;
  readonly EndpointSlice: EndpointSlice;
  readonly Lease: KubeObject<{
    readonly holderIdentity?: string;
    readonly renewTime?: string;
    readonly leaseDurationSeconds?: number;
  }>;
  readonly APIService: KubeObject<unknown, { readonly conditions?: readonly Condition[] }>;
  readonly CustomResourceDefinition: Crd;
  readonly MutatingWebhookConfiguration: WebhookConfiguration;
  readonly ValidatingWebhookConfiguration: WebhookConfiguration;
  readonly ClusterRole: KubeObject;
  readonly ClusterRoleBinding: Binding;
  readonly Role: KubeObject;
  readonly RoleBinding: Binding;
  readonly PodDisruptionBudget: KubeObject<unknown, { readonly disruptionsAllowed?: number }>;
  readonly HorizontalPodAutoscaler: KubeObject<unknown, { readonly conditions?: readonly Condition[] }>;
  readonly GatewayClass: KubeObject<
    { readonly controllerName?: string },
    { readonly conditions?: readonly Condition[] }
  >;
  readonly KubernetesGateway: KubeObject<{ readonly gatewayClassName?: string }>;
  readonly Gateway: KubeObject<{
    readonly selector?: Readonly<Record<string, string>>;
    readonly servers?: readonly {
      readonly port?: { readonly number?: number };
      readonly tls?: { readonly credentialName?: string };
    }[];
  }>;
}

export type ShapeName = keyof Shapes;

const APPS = "apps/v1";
const RBAC = "rbac.authorization.k8s.io/v1";
const HOOKS = "admissionregistration.k8s.io/v1";

/** Where the API server has each of them; `kind` only where it differs from the name here. */
export const API_OF: Readonly<Record<ShapeName, { readonly apiVersion: string; readonly kind?: string }>> = {
  Node: { apiVersion: "v1" },
  Namespace: { apiVersion: "v1" },
  Pod: { apiVersion: "v1" },
  Service: { apiVersion: "v1" },
  ConfigMap: { apiVersion: "v1" },
  Secret: { apiVersion: "v1" },
  ServiceAccount: { apiVersion: "v1" },
  ResourceQuota: { apiVersion: "v1" },
  LimitRange: { apiVersion: "v1" },
  Deployment: { apiVersion: APPS },
  DaemonSet: { apiVersion: APPS },
  EndpointSlice: { apiVersion: "discovery.k8s.io/v1" },
  Lease: { apiVersion: "coordination.k8s.io/v1" },
  APIService: { apiVersion: "apiregistration.k8s.io/v1" },
  CustomResourceDefinition: { apiVersion: "apiextensions.k8s.io/v1" },
  MutatingWebhookConfiguration: { apiVersion: HOOKS },
  ValidatingWebhookConfiguration: { apiVersion: HOOKS },
  ClusterRole: { apiVersion: RBAC },
  ClusterRoleBinding: { apiVersion: RBAC },
  Role: { apiVersion: RBAC },
  RoleBinding: { apiVersion: RBAC },
  PodDisruptionBudget: { apiVersion: "policy/v1" },
  HorizontalPodAutoscaler: { apiVersion: "autoscaling/v2" },
  GatewayClass: { apiVersion: "gateway.networking.k8s.io/v1" },
  KubernetesGateway: { apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway" },
  Gateway: { apiVersion: "networking.istio.io/v1" },
};
