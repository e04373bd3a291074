import { compact } from "../base/compact.ts";
import { merge } from "../base/merge.ts";
import { fillTemplate } from "../base/template.ts";
import { embedded } from "../gen/embedded.ts";
import { VERSION } from "../gen/version.ts";
import type { KubeObject } from "../resources/object.ts";
import { parseYaml, toYaml } from "../resources/yaml-plain.ts";
import type { ComponentSettings, Settings } from "./settings.ts";

/** The parts of the mesh in the order in which they are applied: each needs the ones before it to be ready. */
export const COMPONENTS = ["Base", "Pilot", "IngressGateways"] as const;
export type ComponentName = (typeof COMPONENTS)[number];

/** Objects of one component, in the order of KIND_ORDER. */
export interface RenderedComponent {
  readonly component: ComponentName;
  readonly objects: readonly KubeObject[];
}

/** What a kind needs must be there before it: accounts before what runs as them, services before what calls them. */
export const KIND_ORDER: readonly string[] = [
  "Namespace",
  "CustomResourceDefinition",
  "ServiceAccount",
  "ClusterRole",
  "ClusterRoleBinding",
  "Role",
  "RoleBinding",
  "ConfigMap",
  "Service",
  "Deployment",
  // last, for from then on pods of injected namespaces need an answer
  "MutatingWebhookConfiguration",
  "ValidatingWebhookConfiguration",
];

/** Labels by which `uninstall` finds what `install` made. */
export const MANAGED_LABELS = {
  "operator.istio.io/managed": "Reconcile",
  "app.kubernetes.io/managed-by": "meshctl",
} as const;

const REVISION = "default";

/** The objects of a profile, pure: no clock, no randomness, no cluster. The Namespace is not among them. */
export function render(settings: Settings): readonly RenderedComponent[] {
  const { base, pilot, ingressGateways } = settings.components;
  const parts: readonly { component: ComponentName; isOn: boolean; make: () => KubeObject[] }[] = [
    { component: "Base", isOn: base.enabled, make: crds },
    { component: "Pilot", isOn: pilot.enabled, make: () => documents("pilot", settings, pilot) },
    {
      component: "IngressGateways",
      isOn: ingressGateways.some((gateway) => gateway.enabled),
      make: () =>
        ingressGateways
          .filter((gateway) => gateway.enabled)
          .flatMap((gateway) => documents("ingress-gateway", settings, gateway)),
    },
  ];
  return parts
    .filter((part) => part.isOn)
    .map(({ component, make }) => ({
      component,
      objects: inOrder(make()).map((object) => withLabels(object, component, settings)),
    }));
}

/** The namespace of the control plane, made by install when it is missing; labelled, so that uninstall knows whose it is. */
export function namespaceObject(settings: Settings): KubeObject {
  const { namespace } = settings;
  return withLabels({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }, "Base", settings);
}

function crds(): KubeObject[] {
  return Object.entries(embedded)
    .filter(([file]) => file.startsWith("base/crds/"))
    .map(([, text]) => parseYaml(text) as KubeObject);
}

/** The documents of manifests/base/<file>.yaml with their holes filled. */
function documents(file: string, settings: Settings, component: ComponentSettings): KubeObject[] {
  const text = embedded[`base/${file}.yaml`] ?? "";
  const variables = variablesOf(settings, component);
  return text.split(/^---$/m).map((part) => fillTemplate(parseYaml(part), variables) as KubeObject);
}

function variablesOf(settings: Settings, component: ComponentSettings): unknown {
  const values = effectiveValues(settings);
  const k8s = component.k8s ?? {};
  const env = (k8s["env"] ?? {}) as Readonly<Record<string, unknown>>;
  return {
    namespace: settings.namespace,
    revision: REVISION,
    hub: settings.hub,
    tag: values.global["tag"],
    clusterId: clusterName(settings),
    values,
    component: { ...component, k8s: withoutEmpty(k8s) },
    env: Object.entries(env).map(([name, value]) => ({ name, value: String(value) })),
    writesStatus: env["PILOT_ENABLE_ANALYSIS"] === "true",
    imagePullSecrets: pullSecrets(settings),
    podAnnotations: {
      ...(component.name === undefined ? scrapeAnnotations : { "inject.istio.io/templates": "gateway" }),
      ...(k8s["podAnnotations"] as Record<string, string> | undefined),
    },
    containerPorts: containerPorts(k8s["service"]),
    meshText: toYaml(meshConfig(settings)),
    injectorConfigText: toYaml(injectorConfig(settings)),
    injectorValuesText: `${JSON.stringify(values, undefined, 2)}\n`,
  };
}

const scrapeAnnotations = { "prometheus.io/scrape": "true", "prometheus.io/port": "15014" };

/** values with hub, tag and namespace filled in from the top of the profile where they were left empty. */
function effectiveValues(settings: Settings): Settings["values"] {
  const { hub, tag } = settings.values.global;
  const global = {
    hub: hub === "" ? settings.hub : hub,
    tag: tag === "" ? (settings.tag === "" ? VERSION : settings.tag) : tag,
    istioNamespace: settings.namespace,
  };
  return merge(settings.values, { global }) as Settings["values"];
}

function meshConfig(settings: Settings): unknown {
  const { namespace } = settings;
  return merge(
    { rootNamespace: namespace, defaultConfig: { discoveryAddress: `istiod.${namespace}.svc:15012` } },
    settings.meshConfig,
  );
}

/** ConfigMap istio-sidecar-injector, key `config`: templates as texts, with the comments that explain them. */
function injectorConfig(settings: Settings): unknown {
  const { neverInjectSelector, alwaysInjectSelector } = settings.values.sidecarInjectorWebhook;
  const templates = Object.entries(embedded).flatMap(([file, text]) => {
    const name = /^injection\/(.+)\.yaml$/.exec(file)?.[1];
    return name === undefined ? [] : [[name, text]];
  });
  return {
    policy: "enabled",
    alwaysInjectSelector,
    neverInjectSelector,
    defaultTemplates: ["sidecar"],
    templates: Object.fromEntries(templates) as unknown,
  };
}

function clusterName(settings: Settings): string {
  const { clusterName: name } = settings.values.global["multiCluster"] as { clusterName: string };
  return name === "" ? "Kubernetes" : name;
}

function pullSecrets(settings: Settings): unknown {
  const names = settings.values.global["imagePullSecrets"] as readonly string[];
  return names.length === 0 ? undefined : names.map((name) => ({ name }));
}

/** Ports of a gateway's pod: those its Service sends to. */
function containerPorts(service: unknown): unknown {
  const ports = (service as { ports?: readonly { name: string; targetPort: number; protocol: string }[] } | undefined)
    ?.ports;
  return ports?.map(({ name, targetPort, protocol }) => ({ name, containerPort: targetPort, protocol }));
}

/** Empty maps of a profile stand for "nothing set": they leave no trace in objects. */
function withoutEmpty(k8s: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const isEmpty = (value: unknown): boolean =>
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
  return compact(Object.fromEntries(Object.entries(k8s).filter(([, value]) => !isEmpty(value))));
}

function inOrder(objects: readonly KubeObject[]): KubeObject[] {
  const place = (object: KubeObject): number => KIND_ORDER.indexOf(object.kind);
  return [...objects].sort((a, b) => place(a) - place(b) || (a.metadata.name < b.metadata.name ? -1 : 1));
}

function withLabels(object: KubeObject, component: ComponentName, settings: Settings): KubeObject {
  const labels = {
    ...object.metadata.labels,
    "app.kubernetes.io/part-of": "istio",
    "app.kubernetes.io/version": VERSION,
    ...MANAGED_LABELS,
    "install.operator.istio.io/owning-resource": "meshctl",
    "install.operator.istio.io/owning-resource-namespace": settings.namespace,
    "operator.istio.io/component": component,
    "operator.istio.io/version": VERSION,
    // on a namespace this label would ask for injection
    ...(object.kind === "Namespace" ? {} : { "istio.io/rev": REVISION }),
  };
  return { ...object, metadata: { ...object.metadata, labels } };
}
