import { fillTemplate } from "../base/template.ts";
import { embedded } from "../gen/embedded.ts";
import { VERSION } from "../gen/version.ts";
import type { KubeObject } from "../resources/object.ts";
import { withoutAliases } from "../resources/yaml-aliases.ts";
import { parseYaml, toYaml } from "../resources/yaml-plain.ts";
import { withOverlays } from "./object-overlays.ts";
import type { ComponentSettings, Settings } from "./settings.ts";
import { gatewayVariables, pilotVariables, rateLimitVariables, remoteVariables, revisionOf } from "./variables.ts";

/** The parts of the mesh in the order in which they are applied: each needs the ones before it to be ready. */
export const COMPONENTS = ["Base", "Pilot", "IstiodRemote", "IngressGateways", "EgressGateways"] as const;
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
  "EndpointSlice",
  "NetworkPolicy",
  "PodDisruptionBudget",
  "Deployment",
  "HorizontalPodAutoscaler",
  // last, for from then on pods of injected namespaces need an answer
  "MutatingWebhookConfiguration",
  "ValidatingWebhookConfiguration",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
];

/** Labels by which `uninstall` finds what `install` made. */
export const MANAGED_LABELS = {
  "operator.istio.io/managed": "Reconcile",
  "app.kubernetes.io/managed-by": "meshctl",
} as const;

/** An object as a file holds it. */
export interface Manifest {
  readonly component: ComponentName;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  /** YAML, the same letters that toYaml writes for the object. */
  readonly text: string;
}

/** The objects of a profile, pure: no clock, no randomness, no cluster. The Namespace is not among them. */
export function render(settings: Settings): readonly RenderedComponent[] {
  return renderParts(settings, crds);
}

/**
 * What `render` gives, flat and as YAML. The definitions of kinds are nine tenths of it and the same for everybody but for some
 * labels: their texts are taken as they are bundled, neither read nor written.
 */
export function renderManifests(settings: Settings): readonly Manifest[] {
  const others = renderParts(settings, () => []).flatMap(({ component, objects }) =>
    objects.map((object) => manifestOf(object, component)),
  );
  return [...(isOn(settings.components.base) ? crdManifests(settings) : []), ...others];
}

function renderParts(settings: Settings, definitions: () => readonly KubeObject[]): readonly RenderedComponent[] {
  const { base, pilot, ingressGateways, egressGateways } = settings.components;
  const isRemote = (settings.values["istiodRemote"] as { enabled?: boolean } | undefined)?.enabled === true;
  const gateways = (list: readonly ComponentSettings[], kind: string): KubeObject[] =>
    list.filter(isOn).flatMap((gateway) => ofGateway(settings, gateway, kind));
  const parts: readonly (readonly [ComponentName, () => readonly KubeObject[]])[] = [
    ["Base", () => (isOn(base) ? [...definitions(), ...policies(settings)] : [])],
    ["Pilot", () => (isOn(pilot) && !isRemote ? ofPilot(settings, pilot) : [])],
    ["IstiodRemote", () => (isOn(pilot) && isRemote ? ofRemote(settings, pilot) : [])],
    ["IngressGateways", () => gateways(ingressGateways, "ingressgateway")],
    ["EgressGateways", () => gateways(egressGateways, "egressgateway")],
  ];
  return parts
    .map(([component, make]) => ({ component, objects: make() }))
    .filter(({ objects }) => objects.length > 0)
    .map(({ component, objects }) => ({
      component,
      objects: inOrder(objects).map((object) => withLabels(object, component, settings)),
    }));
}

/** A namespace that objects go to, made by install when it is missing; labelled, so that uninstall knows whose it is. */
export function namespaceObject(settings: Settings, name = settings.namespace): KubeObject {
  return withLabels({ apiVersion: "v1", kind: "Namespace", metadata: { name } }, "Base", settings);
}

function isOn({ enabled }: ComponentSettings): boolean {
  return enabled;
}

function crds(): KubeObject[] {
  return Object.entries(embedded)
    .filter(([file]) => file.startsWith("base/crds/"))
    .map(([, text]) => parseYaml(text) as KubeObject);
}

/** The bundled texts of the CRDs, by name, with our labels behind their own. */
function crdManifests(settings: Settings): readonly Manifest[] {
  const kind = "CustomResourceDefinition";
  const lines = toYaml(ownLabels(kind, "Base", settings))
    .trimEnd()
    .replace(/^/gm, "    ");
  return Object.entries(embedded).flatMap(([file, text]) => {
    const name = /^base\/crds\/(.+)\.yaml$/.exec(file)?.[1];
    if (name === undefined) return [];
    const labelled = text.replace(/^#.*\n/, "").replace(/^ {2}labels:\n(?: {4}.*\n)*/m, (own) => `${own}${lines}\n`);
    return [{ component: "Base" as const, kind, name, text: withoutAliases(labelled) }];
  });
}

function manifestOf(object: KubeObject, component: ComponentName): Manifest {
  const { namespace, name } = object.metadata;
  return {
    component,
    kind: object.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    text: toYaml(object),
  };
}

function policies(settings: Settings): KubeObject[] {
  const { stableValidationPolicy } = (settings.values["experimental"] ?? {}) as { stableValidationPolicy?: boolean };
  return stableValidationPolicy === true ? documents("stable-policy", remoteVariables(settings)) : [];
}

function ofPilot(settings: Settings, pilot: ComponentSettings): KubeObject[] {
  const variables = pilotVariables(settings, pilot);
  // of a control plane that works for another cluster: they stand there
  const isElsewhere = settings.values.global["operatorManageWebhooks"] === true;
  const webhooks = isElsewhere ? [] : documents("webhooks", variables);
  const own = [...documents("pilot", variables), ...webhooks, ...ofRateLimit(settings, pilot)];
  return withOverlays(own, pilot.k8s?.["overlays"]);
}

function ofRateLimit(settings: Settings, pilot: ComponentSettings): KubeObject[] {
  const { ratelimit } = settings.values as { readonly ratelimit?: { readonly enabled?: boolean } };
  return ratelimit?.enabled === true ? documents("ratelimit", rateLimitVariables(settings, pilot)) : [];
}

/** What of a control plane runs where it is. */
const RUNNING: readonly string[] = [
  "Service",
  "Deployment",
  "HorizontalPodAutoscaler",
  "PodDisruptionBudget",
  "NetworkPolicy",
];

/**
 * Only the injection webhook, and how to reach the control plane; where that reads its configuration here, also the
 * configuration, its account, and the validation webhook.
 */
function ofRemote(settings: Settings, pilot: ComponentSettings): KubeObject[] {
  const isConfigured = settings.values.global["configCluster"] === true;
  const variables = { ...pilotVariables(settings, pilot), ...remoteVariables(settings) };
  const webhooks = documents("webhooks", variables).filter(({ kind }) => isConfigured || kind.startsWith("Mutating"));
  const pilotObjects = isConfigured ? documents("pilot", variables).filter(({ kind }) => !RUNNING.includes(kind)) : [];
  return withOverlays([...pilotObjects, ...documents("remote", variables), ...webhooks], pilot.k8s?.["overlays"]);
}

function ofGateway(settings: Settings, gateway: ComponentSettings, kind: string): KubeObject[] {
  return withOverlays(documents("gateway", gatewayVariables(settings, gateway, kind)), gateway.k8s?.["overlays"]);
}

/** The documents of manifests/base/<file>.yaml with their holes filled; those whose condition is not met are left out. */
export function documents(file: string, variables: unknown): KubeObject[] {
  const text = embedded[`base/${file}.yaml`] ?? "";
  return text
    .split(/^---$/m)
    .map((part) => fillTemplate(parseYaml(part), variables) as KubeObject | undefined)
    .filter((object) => object !== undefined);
}

function inOrder(objects: readonly KubeObject[]): KubeObject[] {
  const place = (object: KubeObject): number => KIND_ORDER.indexOf(object.kind);
  return [...objects].sort((a, b) => place(a) - place(b) || (a.metadata.name < b.metadata.name ? -1 : 1));
}

function withLabels(object: KubeObject, component: ComponentName, settings: Settings): KubeObject {
  const labels = { ...object.metadata.labels, ...ownLabels(object.kind, component, settings) };
  return { ...object, metadata: { ...object.metadata, labels } };
}

function ownLabels(kind: string, component: ComponentName, settings: Settings): Readonly<Record<string, string>> {
  return {
    "app.kubernetes.io/part-of": "istio",
    "app.kubernetes.io/version": VERSION,
    ...MANAGED_LABELS,
    "install.operator.istio.io/owning-resource": "meshctl",
    "install.operator.istio.io/owning-resource-namespace": settings.namespace,
    "operator.istio.io/component": component,
    "operator.istio.io/version": VERSION,
    // on a namespace this label would ask for injection
    ...(kind === "Namespace" ? {} : { "istio.io/rev": revisionOf(settings) }),
  };
}
