import type { Segments } from "../base/field-path.ts";
import { pathText } from "../base/field-path.ts";
import { idleProxySettings } from "../model/proxy-config-fields.ts";
import { isAlias } from "./aliases.ts";

/** Members of `k8s` that every workload has. */
const POD_SETTINGS: readonly string[] = [
  "affinity",
  "env",
  "hpaSpec",
  "imagePullPolicy",
  "nodeSelector",
  "overlays",
  "podAnnotations",
  "podDisruptionBudget",
  "priorityClassName",
  "readinessProbe",
  "replicaCount",
  "resources",
  "securityContext",
  "serviceAnnotations",
  "strategy",
  "tolerations",
  "volumeMounts",
  "volumes",
];

/** Settings of schemas/istio-operator.schema.json that rendering and injection use; `*` is any one step, the rest below counts. */
const USED: readonly string[] = [
  "profile",
  "hub",
  "tag",
  "revision",
  "namespace",
  "meshConfig",
  "unvalidatedValues",
  "values.ratelimit",
  "components.base.enabled",
  "components.base.k8s.overlays",
  ...["enabled", "hub", "tag", ...POD_SETTINGS.map((name) => `k8s.${name}`)].map((name) => `components.pilot.${name}`),
  ...["type", "ipFamilies", "ipFamilyPolicy"].map((name) => `components.pilot.k8s.service.${name}`),
  ...["ingressGateways", "egressGateways"].flatMap((list) =>
    ["name", "enabled", "namespace", "label", "k8s"].map((name) => `components.${list}.*.${name}`),
  ),
  ...[
    "hub",
    "tag",
    "variant",
    "imagePullPolicy",
    "imagePullSecrets",
    "istioNamespace",
    "logging",
    "logAsJson",
    "meshID",
    "network",
    "meshNetworks",
    "multiCluster.clusterName",
    "caAddress",
    "platform",
    "proxy_init.image",
    "proxy_init.forceApplyIptables",
    "defaultPodDisruptionBudget",
    "networkPolicy",
    "remotePilotAddress",
    "configCluster",
    "externalIstiod",
    "operatorManageWebhooks",
    "istiod.enableAnalysis",
  ].map((name) => `values.global.${name}`),
  ...[
    "image",
    "clusterDomain",
    "logLevel",
    "componentLogLevel",
    "outlierLogPath",
    "statusPort",
    "interceptionMode",
    "includeIPRanges",
    "excludeIPRanges",
    "includeInboundPorts",
    "excludeInboundPorts",
    "includeOutboundPorts",
    "excludeOutboundPorts",
    "resources",
    "startupProbe",
    "readinessInitialDelaySeconds",
    "readinessPeriodSeconds",
    "readinessFailureThreshold",
    "privileged",
    "lifecycle",
    "seccompProfile",
    "holdApplicationUntilProxyStarts",
  ].map((name) => `values.global.proxy.${name}`),
  "values.pilot.autoscaleEnabled",
  "values.pilot.autoscaleMin",
  "values.pilot.autoscaleMax",
  "values.pilot.cni",
  "values.istio_cni.enabled",
  ...["istio-ingressgateway", "istio-egressgateway"].flatMap((name) =>
    ["autoscaleEnabled", "autoscaleMin", "autoscaleMax"].map((member) => `values.gateways.${name}.${member}`),
  ),
  ...[
    "rewriteAppHTTPProbe",
    "enableNamespacesByDefault",
    "neverInjectSelector",
    "alwaysInjectSelector",
    "reinvocationPolicy",
    "templates",
    "defaultTemplates",
  ].map((name) => `values.sidecarInjectorWebhook.${name}`),
  "values.base.validationURL",
  "values.istiodRemote.enabled",
  "values.istiodRemote.injectionURL",
  "values.istiodRemote.injectionPath",
  "values.istiodRemote.injectionCABundle",
  "values.experimental.stableValidationPolicy",
];

const PATTERNS = USED.map((path) => path.split("."));

/** The settings of an overlay that are known and change nothing here, as paths. A switch that is off asks for nothing. */
export function settingsWithoutEffect(overlay: unknown): readonly string[] {
  const found: string[] = [];
  const look = (value: unknown, path: Segments): void => {
    if (isAlias(path) || PATTERNS.some((pattern) => isPrefix(pattern, path))) return;
    if (Array.isArray(value)) for (const [index, item] of value.entries()) look(item, [...path, index]);
    else if (typeof value === "object" && value !== null)
      for (const [key, member] of Object.entries(value)) look(member, [...path, key]);
    else if (value !== false && value !== null && value !== undefined && value !== "") found.push(pathText(path));
  };
  look(overlay, []);
  const defaults = PROXY_DEFAULTS.reduce<unknown>((at, step) => (at as Fields | null | undefined)?.[step], overlay);
  return [...found, ...idleProxySettings(defaults).map(({ path }) => pathText([...PROXY_DEFAULTS, ...path]))];
}

type Fields = Readonly<Record<string, unknown>>;

const PROXY_DEFAULTS = ["meshConfig", "defaultConfig"] as const;

function isPrefix(pattern: readonly string[], path: Segments): boolean {
  return pattern.length <= path.length && pattern.every((step, index) => step === "*" || step === String(path[index]));
}
