import { isIP } from "node:net";
import { compact } from "../base/compact.ts";
import { merge } from "../base/merge.ts";
import { revisionSuffix } from "../base/revision.ts";
import { embedded } from "../gen/embedded.ts";
import { VERSION } from "../gen/version.ts";
import { toYaml } from "../resources/yaml-plain.ts";
import type { ComponentSettings, Settings } from "./settings.ts";

/** The name of the revision: `default` where none is given. */
export function revisionOf({ revision }: Pick<Settings, "revision">): string {
  return revision === "" ? "default" : revision;
}

type Map = Readonly<Record<string, unknown>>;

/** What the holes of manifests/base/pilot.yaml and webhooks.yaml can name. */
export function pilotVariables(settings: Settings, pilot: ComponentSettings): Map {
  const values = effectiveValues(settings);
  const k8s = pilot.k8s ?? {};
  const env = { ...analysisEnv(settings), ...(k8s["env"] as Map | undefined) };
  const revision = revisionOf(settings);
  const isDefault = revision === "default";
  const signerDomain = env["CERT_SIGNER_DOMAIN"];
  return {
    ...workloadVariables(settings, pilot, { app: "istiod", istio: isDefault ? "pilot" : `istiod-${revision}` }),
    isDefault,
    injectsByDefault: isDefault && values.sidecarInjectorWebhook["enableNamespacesByDefault"] === true,
    clusterId: clusterName(settings),
    env: envList(env),
    externalSigner: env["EXTERNAL_CA"] === undefined ? undefined : env["K8S_SIGNER"],
    externalSigners: typeof signerDomain === "string" ? `${signerDomain}/*` : undefined,
    certifiedElsewhere: String(env["ENABLE_CA_SERVER"]) === "false",
    writesStatus: env["PILOT_ENABLE_ANALYSIS"] === "true",
    exportsServices: env["ENABLE_MCS_AUTO_EXPORT"] === "true",
    makesGateways: env["PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER"] !== "false",
    imagePullSecrets: pullSecrets(settings),
    podAnnotations: { ...SCRAPED, ...(k8s["podAnnotations"] as Map | undefined) },
    podSecurity: k8s["securityContext"] ?? { seccompProfile: { type: "RuntimeDefault" } },
    readinessProbe: k8s["readinessProbe"] ?? READINESS,
    injectClient: serviceClient(settings, "/inject"),
    validateClient: serviceClient(settings, "/validate"),
    // another cluster's, which it then works for
    remoteKubeconfig: settings.values.global["externalIstiod"] === true || undefined,
    meshText: toYaml(meshConfig(settings)),
    networksText: toYaml({ networks: settings.values.global["meshNetworks"] ?? {} }),
    injectorConfigText: toYaml(injectorConfig(settings)),
    injectorValuesText: `${JSON.stringify(injectorValues(values, settings), undefined, 2)}\n`,
  };
}

/** What the holes of manifests/base/ratelimit.yaml can name. */
export function rateLimitVariables(settings: Settings, pilot: ComponentSettings): Map {
  const { replicaCount = 2 } = settings.values["ratelimit"] as { readonly replicaCount?: number };
  const k8s = { replicaCount };
  const labels = { app: "ratelimit" };
  const { caAddress = "" } = settings.values.global as { readonly caAddress?: string };
  const { trustDomain = "cluster.local" } = settings.meshConfig as { readonly trustDomain?: string };
  return {
    ...pilotVariables(settings, pilot),
    hub: pilot.hub ?? settings.hub,
    tag: pilot.tag ?? effectiveValues(settings).global["tag"],
    replicas: replicaCount,
    caAddress:
      caAddress === "" ? `istiod${revisionSuffix(settings.revision)}.${settings.namespace}.svc:15012` : caAddress,
    trustDomain,
    disruptionBudget: disruptionBudget(settings, k8s, { autoscaling: undefined, labels }),
  };
}

/** What the holes of manifests/base/gateway.yaml can name; `kind` is the value of the label `istio`. */
export function gatewayVariables(settings: Settings, gateway: ComponentSettings, kind: string): Map {
  const k8s = gateway.k8s ?? {};
  const labels = { app: gateway.name ?? "", istio: kind, ...gateway.label };
  const service = (k8s["service"] ?? {}) as { readonly ports?: readonly Port[] };
  const env = envList((k8s["env"] ?? {}) as Map);
  return {
    ...workloadVariables(settings, gateway, labels),
    namespace: gateway.namespace ?? settings.namespace,
    env: env.length === 0 ? undefined : env,
    podAnnotations: { "inject.istio.io/templates": "gateway", ...(k8s["podAnnotations"] as Map | undefined) },
    podSecurity: k8s["securityContext"] ?? GATEWAY_SECURITY,
    gatewayPodLabels: {
      ...labels,
      "service.istio.io/canonical-name": gateway.name,
      "sidecar.istio.io/inject": "true",
      ...(revisionOf(settings) === "default" ? {} : { "istio.io/rev": revisionOf(settings) }),
    },
    serviceSpec: { type: "LoadBalancer", selector: labels, ...service },
    // for everybody: traffic, readiness, and metrics of the agent and of Envoy
    openPorts: [
      ...new Set([...(service.ports ?? []).map(({ port, targetPort }) => targetPort ?? port), ...PROXY_PORTS]),
    ].map((port) => ({ port, protocol: "TCP" })),
    // those its Service sends to
    containerPorts: service.ports?.map(({ name, port, targetPort, protocol }) =>
      compact({ name, containerPort: targetPort ?? port, protocol }),
    ),
  };
}

/** What the holes of manifests/base/remote.yaml and stable-policy.yaml can name, and webhooks.yaml beside pilotVariables. */
export function remoteVariables(settings: Settings): Map {
  const { validationURL = "" } = (settings.values["base"] ?? {}) as { readonly validationURL?: string };
  return {
    namespace: settings.namespace,
    suffix: revisionSuffix(settings.revision),
    ...remotePlace(settings.values.global["remotePilotAddress"] as string | undefined),
    validateClient: validationURL === "" ? serviceClient(settings, "/validate") : { url: validationURL },
    injectClient: injectClient(settings),
  };
}

/** Where Service istiod leads: an address has a slice, a name is followed by DNS. */
function remotePlace(address = ""): Map {
  const family = isIP(address);
  if (family !== 0) return { remoteAddress: address, remoteAddressType: `IPv${family}` };
  return address === "" ? {} : { remoteServiceType: "ExternalName", remoteHost: address };
}

/** How the injector of a control plane elsewhere is called. Its CA is that control plane's to write, unless it is given. */
function injectClient(settings: Settings): Map {
  const remote = (settings.values["istiodRemote"] ?? {}) as Readonly<Record<string, string | undefined>>;
  const { injectionURL: url = "", injectionPath: path = "", injectionCABundle: caBundle = "" } = remote;
  const client = url === "" ? serviceClient(settings, path === "" ? injectionPath(settings) : path) : { url };
  return caBundle === "" ? client : { ...client, caBundle };
}

/** What tells the injector which cluster and network a pod is of. */
function injectionPath({ values }: Settings): string {
  const { multiCluster, network = "" } = values.global as {
    readonly multiCluster?: { readonly clusterName?: string };
    readonly network?: string;
  };
  const parts = { cluster: multiCluster?.clusterName ?? "", net: network };
  const told = Object.entries(parts).filter(([, value]) => value !== "");
  return `/inject${told.map(([name, value]) => `/${name}/${value.replaceAll("/", "--slash--")}`).join("")}`;
}

/** How the API server reaches the control plane. */
export function serviceClient(settings: Pick<Settings, "revision" | "namespace">, path: string): Map {
  const name = `istiod${revisionSuffix(settings.revision)}`;
  return { service: { name, namespace: settings.namespace, path, port: 443 } };
}

interface Port {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: number | string;
  readonly protocol?: string;
}

/** What every workload has. `labels` find its pods. */
function workloadVariables(settings: Settings, component: ComponentSettings, labels: Map): Map {
  const values = effectiveValues(settings);
  const k8s = component.k8s ?? {};
  const autoscaling = autoscalingOf(settings, component);
  return {
    namespace: settings.namespace,
    revision: revisionOf(settings),
    suffix: revisionSuffix(settings.revision),
    hub: settings.hub,
    tag: values.global["tag"],
    values,
    component: { ...component, k8s: withoutEmpty(k8s) },
    podLabels: labels,
    replicas: autoscaling === undefined ? k8s["replicaCount"] : undefined,
    strategy: k8s["strategy"] ?? STRATEGY,
    autoscaling,
    disruptionBudget: disruptionBudget(settings, k8s, { autoscaling, labels }),
    networkPolicy: (settings.values.global["networkPolicy"] as { enabled?: boolean } | undefined)?.enabled === true,
  };
}

/** Spec of the HorizontalPodAutoscaler: what the profile says, or by the values that Istio has for it. */
function autoscalingOf(settings: Settings, component: ComponentSettings): Map | undefined {
  const name = component.name ?? `istiod${revisionSuffix(settings.revision)}`;
  const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name };
  const own = withoutEmpty(component.k8s ?? {})["hpaSpec"] as Map | undefined;
  const { pilot, gateways } = settings.values as { pilot?: Autoscale; gateways?: Readonly<Record<string, Autoscale>> };
  const values = component.name === undefined ? pilot : gateways?.[component.name];
  if (own === undefined && values?.autoscaleEnabled !== true) return undefined;
  return {
    scaleTargetRef,
    minReplicas: values?.autoscaleMin ?? 1,
    maxReplicas: values?.autoscaleMax ?? 5,
    metrics: [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } }],
    ...own,
  };
}

interface Autoscale {
  readonly autoscaleEnabled?: boolean;
  readonly autoscaleMin?: number;
  readonly autoscaleMax?: number;
}

/** A budget is of use only when there is a second pod: with one it would block every drain of a node. */
function disruptionBudget(
  settings: Settings,
  k8s: Map,
  { autoscaling, labels }: { readonly autoscaling: Map | undefined; readonly labels: Map },
): Map | undefined {
  const selector = { matchLabels: labels };
  const own = withoutEmpty(k8s)["podDisruptionBudget"] as Map | undefined;
  if (own !== undefined) return { selector, ...own };
  const { defaultPodDisruptionBudget } = settings.values.global as {
    defaultPodDisruptionBudget?: { enabled?: boolean };
  };
  const least = Number(autoscaling?.["minReplicas"] ?? k8s["replicaCount"] ?? 1);
  return defaultPodDisruptionBudget?.enabled === false || least < 2 ? undefined : { minAvailable: 1, selector };
}

/** Readiness, the agent's merged metrics, Envoy's own. */
const PROXY_PORTS = [15021, 15020, 15090];
const SCRAPED = { "prometheus.io/scrape": "true", "prometheus.io/port": "15014" };
const STRATEGY = { rollingUpdate: { maxSurge: "100%", maxUnavailable: "25%" } };
/** Asked every second: after a restart nothing else decides how soon proxies find the control plane. Out after nine bad answers. */
const READINESS = { httpGet: { path: "/ready", port: 8080 }, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 9 };
const GATEWAY_SECURITY = {
  runAsGroup: 1337,
  runAsNonRoot: true,
  runAsUser: 1337,
  seccompProfile: { type: "RuntimeDefault" },
};

/** values with hub, tag and namespace filled in from the top of the profile where they were left empty. */
function effectiveValues(settings: Settings): Settings["values"] {
  const { hub, tag } = settings.values.global;
  const global = {
    hub: hub === "" ? settings.hub : hub,
    tag: String(tag === "" ? (settings.tag === "" ? VERSION : settings.tag) : tag),
    istioNamespace: settings.namespace,
  };
  return merge(settings.values, { global }) as Settings["values"];
}

function meshConfig(settings: Settings): unknown {
  const { namespace } = settings;
  const discoveryAddress = `istiod${revisionSuffix(settings.revision)}.${namespace}.svc:15012`;
  return merge({ rootNamespace: namespace, defaultConfig: { discoveryAddress } }, settings.meshConfig);
}

/** ConfigMap istio-sidecar-injector, key `config`: templates as texts, with the comments that explain them. */
function injectorConfig(settings: Settings): unknown {
  const { neverInjectSelector, alwaysInjectSelector, defaultTemplates, templates } =
    settings.values.sidecarInjectorWebhook;
  const own = Object.entries(embedded).flatMap(([file, text]) => {
    const name = /^injection\/(.+)\.yaml$/.exec(file)?.[1];
    return name === undefined ? [] : [[name, text]];
  });
  return {
    policy: "enabled",
    alwaysInjectSelector,
    neverInjectSelector,
    defaultTemplates: defaultTemplates ?? ["sidecar"],
    templates: { ...(Object.fromEntries(own) as Map), ...(templates as Map | undefined) },
  };
}

/** Key `values`: what templates and the injector read. How many pods there are, and how the webhook is asked, is not theirs. */
function injectorValues(values: Settings["values"], settings: Settings): unknown {
  const gateways = omit(values["gateways"], ["istio-ingressgateway", "istio-egressgateway"]);
  const own = {
    ...omit(values, ["experimental", "istiodRemote", "gateways"]),
    ...(Object.keys(gateways).length === 0 ? {} : { gateways }),
    pilot: omit(values["pilot"], ["autoscaleEnabled", "autoscaleMin", "autoscaleMax"]),
    sidecarInjectorWebhook: omit(values.sidecarInjectorWebhook, [
      "templates",
      "defaultTemplates",
      "reinvocationPolicy",
    ]),
    ...(settings.revision === "" ? {} : { revision: settings.revision }),
  };
  return merge(own, settings.unvalidatedValues ?? {});
}

function omit(map: unknown, names: readonly string[]): Map {
  return Object.fromEntries(Object.entries(map ?? {}).filter(([name]) => !names.includes(name)));
}

function clusterName(settings: Settings): string {
  const { clusterName: name } = settings.values.global["multiCluster"] as { clusterName: string };
  return name === "" ? "Kubernetes" : name;
}

function pullSecrets(settings: Settings): unknown {
  const names = settings.values.global["imagePullSecrets"] as readonly string[];
  return names.length === 0 ? undefined : names.map((name) => ({ name }));
}

/** `values.global.istiod.enableAnalysis` is Istio's older switch for PILOT_ENABLE_ANALYSIS. */
function analysisEnv({ values }: Settings): Map {
  const { istiod } = values.global as { istiod?: { enableAnalysis?: boolean } };
  return istiod?.enableAnalysis === true ? { PILOT_ENABLE_ANALYSIS: "true" } : {};
}

/** Environment as Kubernetes writes it; a map as value is where the value comes from. */
function envList(env: Map): readonly Map[] {
  return Object.entries(env).map(([name, value]) =>
    typeof value === "object" && value !== null ? { name, ...value } : { name, value: String(value) },
  );
}

/** Empty maps of a profile stand for "nothing set": they leave no trace in objects. */
function withoutEmpty(k8s: Map): Map {
  const isEmpty = (value: unknown): boolean =>
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
  return compact(Object.fromEntries(Object.entries(k8s).filter(([, value]) => !isEmpty(value))));
}
