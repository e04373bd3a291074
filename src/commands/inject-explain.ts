import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { ClusterError, UsageError } from "../base/errors.ts";
import { type PodPlace, podsOf } from "../inject/documents.ts";
import {
  explainInjection,
  type InjectionStep,
  type InjectionSubject,
  type JudgedInjection,
} from "../model/injection.ts";
import { injectionWebhooks } from "../model/injection-webhooks.ts";
import type { Cluster } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import { toYaml } from "../resources/yaml-plain.ts";
import { isGlob } from "./glob.ts";
import { type InjectionMesh, isByDefault, readInjectionMesh } from "./inject-mesh.ts";
import { loadSettings, type SettingsFlags, settingsFlags } from "./inject-settings.ts";
import { isUrl, readNamed } from "./inject-sources.ts";
import { readSource } from "./inject-text.ts";
import { globalOptions, listOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

export interface InjectExplainOptions {
  /** Files, or one pod: `name[.namespace]`, `deploy/name[.namespace]`. */
  readonly files: readonly string[];
  readonly pod?: string;
  readonly namespace: string;
  readonly settings: SettingsFlags;
  readonly output: "table" | "json" | "yaml";
}

/** One workload and the decision about it: what `-o json` prints, schemas/output/inject-explain.schema.json. */
export interface ExplainedInjection extends Omit<JudgedInjection, "inject"> {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Where it was read; absent for one of the cluster. */
  readonly file?: string;
  /** Whether a pod that runs has a sidecar: it was decided when it was created. */
  readonly hasSidecar?: boolean;
  readonly steps: readonly InjectionStep[];
}

export interface InjectExplainResult extends CommandResult {
  readonly explained: readonly ExplainedInjection[];
}

/** `meshctl inject explain POD|FILE`. */
export async function run(input: CommandInput, io: Io): Promise<InjectExplainResult> {
  const [target] = input.args;
  const files = [...listOption(input, "filename"), ...(target !== undefined && isFile(target, io) ? [target] : [])];
  if (files.length === 0 && target === undefined)
    throw new UsageError("inject explain needs a pod or a file", "Write name.namespace, deploy/name, or -f FILE.");
  const output = textOption(input, "output");
  return injectExplain(
    {
      files,
      ...(files.length > 0 || target === undefined ? {} : { pod: target }),
      namespace: globalOptions(input).namespace ?? "default",
      settings: settingsFlags(input),
      output: output === "json" || output === "yaml" ? output : "table",
    },
    io,
  );
}

function isFile(target: string, { cwd }: Io): boolean {
  if (target === "-" || isUrl(target) || isGlob(target) || /\.(?:ya?ml|json)$/i.test(target)) return true;
  return !target.startsWith("deploy") && existsSync(resolve(cwd, target));
}

/** Tells rule by rule why pods are injected or not. Exit code 0: all are; 1: one is not; 2: it cannot be told of one. */
export async function injectExplain(options: InjectExplainOptions, io: Io): Promise<InjectExplainResult> {
  const explained =
    options.pod === undefined ? await explainFiles(options, io) : [await explainPod(options.pod, options, io)];
  if (options.output === "json") io.out(`${JSON.stringify(explained, undefined, 2)}\n`);
  else if (options.output === "yaml") io.out(toYaml(explained));
  else io.out(explained.map(textOf).join("\n"));
  const outcomes = new Set(explained.map(({ outcome }) => outcome));
  return { exitCode: outcomes.has("unknown") ? 2 : outcomes.has("not-injected") ? 1 : 0, explained };
}

async function explainFiles(options: InjectExplainOptions, io: Io): Promise<readonly ExplainedInjection[]> {
  const { settings: flags, namespace } = options;
  const sources = (await readNamed(options.files, io)).map(readSource);
  const documents = sources.flatMap(({ file, documents: parts }) => parts.map(({ value }) => ({ file, value })));
  const workloads = documents.flatMap(({ file, value }) =>
    podsOf(value, { namespace }).map((place) => ({ file, place })),
  );
  if (workloads.length === 0) throw new UsageError(`${options.files.join(", ")}: there is no workload in it`);
  const mesh = flags.useCluster || flags.revision !== undefined ? await live(flags, io) : undefined;
  const objects = documents.flatMap(({ value }) => membersOf(value));
  const { settings } = await loadSettings(flags, io);
  const webhooks = injectionWebhooks(objects.filter(({ kind }) => kind === "MutatingWebhookConfiguration"));
  const labelsOf = async (name: string): Promise<Readonly<Record<string, string>> | undefined> => {
    const found = objects.find(({ kind, metadata }) => kind === "Namespace" && metadata.name === name);
    return found === undefined ? mesh?.labelsOf(name) : (found.metadata.labels ?? {});
  };
  return Promise.all(
    workloads.map(async ({ file, place }) => {
      const subject: InjectionSubject = {
        pod: place.pod,
        namespace: { name: place.namespace, labels: await labelsOf(place.namespace) },
        calls: webhooks.length > 0 ? webhooks : (mesh?.webhooks ?? "assumed"),
        injector: settings.config,
        byDefault: isByDefault(settings.values),
      };
      return explainedOf(place, subject, { file });
    }),
  );
}

async function live(flags: SettingsFlags, io: Io): Promise<InjectionMesh> {
  return readInjectionMesh(await io.cluster(), flags.istioNamespace);
}

function membersOf(value: unknown): readonly KubeObject[] {
  const { items, kind, metadata } = (value ?? {}) as { items?: unknown; kind?: unknown; metadata?: unknown };
  if (Array.isArray(items)) return items.flatMap(membersOf);
  return typeof kind === "string" && typeof metadata === "object" && metadata !== null ? [value as KubeObject] : [];
}

async function explainPod(target: string, options: InjectExplainOptions, io: Io): Promise<ExplainedInjection> {
  const cluster = await io.cluster();
  const { place, hasSidecar } = await placeOf(cluster, target, options.namespace);
  const mesh = await readInjectionMesh(cluster, options.settings.istioNamespace);
  return { ...(await judgedPlace(mesh, place)), ...(hasSidecar === undefined ? {} : { hasSidecar }) };
}

/** What the webhooks of a cluster and the injector that one of them calls make of a pod. */
export async function judgedPlace(mesh: InjectionMesh, place: PodPlace): Promise<ExplainedInjection> {
  const labels = await mesh.labelsOf(place.namespace);
  const base: InjectionSubject = {
    pod: place.pod,
    namespace: { name: place.namespace, labels },
    calls: mesh.webhooks,
  };
  // the webhook that is called says whose settings decide
  const { revision = "default" } = explainInjection(base);
  const settings = await mesh.settingsOf(revision);
  const explained = explainedOf(place, { ...base, injector: settings?.policy, byDefault: settings?.byDefault }, {});
  if (settings !== undefined) return explained;
  const warning = `the settings of revision ${revision} cannot be read: those of a new install are assumed`;
  return { ...explained, warnings: [...explained.warnings, warning] };
}

/** The pod, or the template of the Deployment, that a user names. */
export async function placeOf(
  cluster: Cluster,
  target: string,
  defaultNamespace: string,
): Promise<{ readonly place: PodPlace; readonly hasSidecar?: boolean }> {
  const { isDeployment, name, namespace = defaultNamespace } = namedBy(target);
  const ref = isDeployment ? { apiVersion: "apps/v1", kind: "Deployment" } : { apiVersion: "v1", kind: "Pod" };
  const object = await cluster.get({ ...ref, namespace, name });
  const [place] = podsOf(object === undefined ? undefined : { ...object, ...ref }, { namespace });
  if (place === undefined)
    throw new ClusterError("not-found", `there is no ${ref.kind} ${namespace}/${name}`, {
      hint: "List pods with kubectl get pods -A; a file is named with -f.",
    });
  if (isDeployment) return { place };
  const { containers, initContainers = [] } = place.pod.spec;
  return { place, hasSidecar: [...containers, ...initContainers].some((each) => each.name === "istio-proxy") };
}

/** Reads `name`, `name.namespace`, `deploy/name.namespace`. Throws UsageError for another form. */
function namedBy(target: string): { isDeployment: boolean; name: string; namespace?: string } {
  const [, kind = "pod", name, namespace] = /^(?:([a-z]+)\/)?([^/.]+)(?:\.([^/]+))?$/.exec(target) ?? [];
  const isDeployment = ["deploy", "deployment", "deployments"].includes(kind);
  if (name === undefined || !(isDeployment || ["po", "pod", "pods"].includes(kind)))
    throw new UsageError(`"${target}" names no pod`, "Write it as name.namespace, deploy/name.namespace, or -f FILE.");
  return { isDeployment, name, ...(namespace === undefined ? {} : { namespace }) };
}

function explainedOf(
  { kind, namespace, name }: PodPlace,
  subject: InjectionSubject,
  more: Pick<ExplainedInjection, "file" | "hasSidecar">,
): ExplainedInjection {
  const { inject: _, ...explained } = explainInjection(subject);
  return { kind, namespace, name, ...more, ...explained };
}

const MARKS: Readonly<Record<InjectionStep["outcome"], string>> = {
  next: "-",
  call: "→",
  inject: "✔",
  skip: "✘",
  unknown: "?",
};

const OUTCOMES = {
  injected: "✔ is injected",
  "not-injected": "✘ is not injected",
  unknown: "? cannot be told",
} as const;

function textOf(explained: ExplainedInjection): string {
  const { kind, namespace, name, outcome, reason, steps, warnings } = explained;
  const [mark = "", ...words] = OUTCOMES[outcome].split(" ");
  return [
    `${mark} ${kind} ${namespace}/${name} ${words.join(" ")}: ${reason}`,
    ...steps.flatMap(stepLines),
    ...warnings.map((warning) => `  Warning: ${warning}`),
    ...sidecarLine(explained),
    "",
  ].join("\n");
}

function stepLines({ rule, outcome, because, change }: InjectionStep): readonly string[] {
  const line = `  ${MARKS[outcome]} ${rule}: ${because}`;
  return change === undefined ? [line] : [line, `      to change it: ${change.words}`];
}

function sidecarLine({ outcome, hasSidecar }: ExplainedInjection): readonly string[] {
  if (hasSidecar === undefined || outcome === "unknown" || hasSidecar === (outcome === "injected")) return [];
  const now = hasSidecar ? "It has a sidecar" : "It has no sidecar";
  return [`  ${now}: that was decided when the pod was created. Delete it, and the next one is as said here.`];
}
