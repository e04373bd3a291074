import { inject } from "../inject/inject.ts";
import type { InjectContext, PodLike } from "../inject/config.ts";
import {
  ACCOUNT_OVERRIDE,
  GATEWAY_CLASS_LABEL,
  GATEWAY_NAME_LABEL,
  madeAccount,
  madeName,
  MANAGED_LABEL,
  NAME_OVERRIDE,
  SERVICE_TYPE,
} from "../model/gateway-api-deployments.ts";
import { type ApiGateway, GATEWAY_GROUP } from "../model/gateway-api-types.ts";
import type { ContainerPort } from "../resources/core.ts";
import type { KubeObject } from "../resources/object.ts";

/** What the objects of a Gateway are made from, beside the Gateway. */
export interface GatewayObjectsContext {
  /** Of the Gateway's namespace. */
  readonly injection: InjectContext;
  /** Who serves the class, e.g. `istio.io/gateway-controller`. */
  readonly controller: string;
}

type Texts = Readonly<Record<string, string>>;

/**
 * ServiceAccount, Deployment and Service of a Gateway, and the stems of the HorizontalPodAutoscaler and PodDisruptionBudget that
 * overlays may ask for. The pod is whole: the injector's template `gateway` is filled in here, so no webhook is needed, and a new
 * control plane or configuration rolls the Deployment. Names, labels and fields are Istio's (template kube-gateway). Throws
 * InjectionError when the pod cannot be made.
 */
export function gatewayObjects(gateway: ApiGateway, context: GatewayObjectsContext): readonly KubeObject[] {
  const { namespace = "" } = gateway.metadata;
  const { labels, annotations } = infrastructureOf(gateway);
  const own = {
    ...labels,
    [GATEWAY_NAME_LABEL]: gateway.metadata.name,
    [GATEWAY_CLASS_LABEL]: gateway.spec?.gatewayClassName ?? "",
    [MANAGED_LABEL]: context.controller.replaceAll("/", "-"),
  };
  const metadata = (name: string): KubeObject["metadata"] => ({
    name,
    namespace,
    labels: own,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    ownerReferences: [ownerOf(gateway)],
  });
  const name = madeName(gateway);
  const selector = { [GATEWAY_NAME_LABEL]: gateway.metadata.name };
  const template = podTemplate(gateway, { labels: own, annotations }, context.injection);
  const target = { apiVersion: "apps/v1", kind: "Deployment", name };
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: metadata(madeAccount(gateway)) },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: metadata(name),
      spec: { selector: { matchLabels: selector }, template },
    },
    { apiVersion: "v1", kind: "Service", metadata: metadata(name), spec: serviceSpec(gateway, selector) },
    {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: metadata(name),
      spec: { scaleTargetRef: target, maxReplicas: 1 },
    },
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: metadata(name),
      spec: { selector: { matchLabels: selector } },
    },
  ];
}

function ownerOf({ apiVersion, kind, metadata }: ApiGateway): {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
} {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? "" };
}

/** Annotations of a Gateway that mean itself, or the tool that wrote it. */
const OF_THE_GATEWAY: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "gateway.istio.io/controller-version",
  NAME_OVERRIDE,
  ACCOUNT_OVERRIDE,
]);

/** What everything that is made carries: as `spec.infrastructure` says, else as the Gateway itself does. */
function infrastructureOf({ spec, metadata }: ApiGateway): { readonly labels: Texts; readonly annotations: Texts } {
  const written = spec?.infrastructure;
  const labels = written?.labels ?? metadata.labels ?? {};
  const annotations = written?.annotations ?? metadata.annotations ?? {};
  return {
    labels: kept(labels, (name) => !name.startsWith(`${GATEWAY_GROUP}/`)),
    annotations: kept(annotations, (name) => !OF_THE_GATEWAY.has(name) && !name.startsWith(`${GATEWAY_GROUP}/`)),
  };
}

function kept(texts: Texts, isKept: (name: string) => boolean): Texts {
  return Object.fromEntries(Object.entries(texts).filter(([name]) => isKept(name)));
}

const INJECT = "sidecar.istio.io/inject";
const PORTS: readonly ContainerPort[] = [
  { name: "metrics", containerPort: 15020, protocol: "TCP" },
  { name: "status-port", containerPort: 15021, protocol: "TCP" },
];

/** The pod of a gateway, injected already: the label keeps the webhook from doing it again. */
function podTemplate(
  gateway: ApiGateway,
  { labels, annotations }: { readonly labels: Texts; readonly annotations: Texts },
  injection: InjectContext,
): unknown {
  const name = madeName(gateway);
  const asked: PodLike = {
    metadata: {
      labels: { "service.istio.io/canonical-name": name, ...labels, [INJECT]: "true" },
      annotations: { ...annotations, "inject.istio.io/templates": "gateway" },
    },
    spec: {
      serviceAccountName: madeAccount(gateway),
      containers: [{ name: "istio-proxy", image: "auto", ports: PORTS }],
    },
  };
  const owner = { apiVersion: "apps/v1", kind: "Deployment", name };
  const { pod, decision } = inject(asked, { ...injection, owner });
  if (!decision.inject) throw new Error(`no proxy for the pods of this Gateway: ${decision.reason}`);
  return { metadata: { ...pod.metadata, labels: { ...pod.metadata?.labels, [INJECT]: "false" } }, spec: pod.spec };
}

/** One port for each port of the listeners, and the one by which load balancers see whether the gateway is ready. */
function serviceSpec(gateway: ApiGateway, selector: Texts): unknown {
  const { spec, metadata } = gateway;
  const type = metadata.annotations?.[SERVICE_TYPE] ?? "LoadBalancer";
  const [address] = spec?.addresses ?? [];
  const wanted = type === "LoadBalancer" && address?.value !== undefined ? { loadBalancerIP: address.value } : {};
  return { type, ipFamilyPolicy: "PreferDualStack", selector, ports: portsOf(gateway), ...wanted };
}

const NAME_LIMIT = 63;

interface Port {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol: string;
}

function portsOf({ spec }: ApiGateway): readonly Port[] {
  const ports: Port[] = [{ name: "status-port", port: 15021, protocol: "TCP", appProtocol: "tcp" }];
  for (const { name, port, protocol } of spec?.listeners ?? []) {
    if (ports.some((each) => each.port === port)) continue;
    const unique = portName(name, port, (text) => ports.some((each) => each.name === text));
    ports.push({ name: unique, port, protocol: "TCP", appProtocol: protocol.toLowerCase() });
  }
  return ports;
}

/** Names of listeners may be longer, and have dots: two of them may come to the same name. */
function portName(listener: string, port: number, isTaken: (name: string) => boolean): string {
  const name = listener.replaceAll(".", "-").slice(0, NAME_LIMIT);
  if (!isTaken(name)) return name;
  const suffix = `-${port}`;
  return name.slice(0, NAME_LIMIT - suffix.length) + suffix;
}
