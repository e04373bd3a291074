import { compact } from "../base/compact.ts";
import { default as jsonPatch } from "fast-json-patch";
import { merge } from "../base/merge.ts";
import { fillTemplate, TemplateError } from "../base/template.ts";
import type { Container } from "../resources/core.ts";
import { checkAnnotations } from "./annotations.ts";
import { type InjectContext, InjectionError, type PodLike } from "./config.ts";
import { readTemplate } from "./context.ts";
import type { InjectionDecision } from "../model/injection.ts";
import { decide } from "./decide.ts";
import { rewriteProbes } from "./probes.ts";
import { mergeScrape } from "./prometheus.ts";
import { OVERRIDES, STATUS, strip } from "./strip.ts";
import { type AppFacts, statusPort, templateVariables } from "./variables.ts";

/** What injection made of a pod. `pod` and `patch` say the same; an uninjected pod has neither change nor patch. */
export interface Injection {
  readonly decision: InjectionDecision;
  readonly pod: PodLike;
  /** RFC 6902, from the pod as given. */
  readonly patch: readonly PatchOperation[];
}

export type PatchOperation =
  | { readonly op: "add" | "replace"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string };

const PROXY = "istio-proxy";

/**
 * Puts the proxy into a pod, or says why not: the one function behind the webhook and `meshctl inject`. Pure, and idempotent:
 * injecting the result again changes nothing. Throws InjectionError for input that must not be half obeyed.
 */
export function inject(pod: PodLike, context: InjectContext): Injection {
  const decision = decide(pod, context);
  if (!decision.inject) return { decision, pod, patch: [] };
  const annotations = pod.metadata?.annotations ?? {};
  checkAnnotations(annotations);
  const own = strip(pod);
  const { app, facts } = redirectToAgent(own, context);
  const injected = addProxy(app, templateOf(own, context, facts), context);
  const warnings = [...decision.warnings, ...remarks(own)];
  return { decision: { ...decision, warnings }, pod: injected, patch: difference(pod, injected) };
}

/** The application's probes and scrapes go through the agent; what they were is handed to it. */
function redirectToAgent(pod: PodLike, { values, meshConfig }: InjectContext): { app: PodLike; facts: AppFacts } {
  const annotations = pod.metadata?.annotations ?? {};
  const port = statusPort(annotations, values);
  const isRewritten =
    (annotations["sidecar.istio.io/rewriteAppHTTPProbers"] ??
      String(values.sidecarInjectorWebhook.rewriteAppHTTPProbe)) === "true";
  const isMerged =
    (annotations["prometheus.istio.io/merge-metrics"] ?? String(meshConfig.enablePrometheusMerge ?? true)) === "true";
  const { containers, probers } =
    isRewritten && port !== 0 ? rewriteProbes(pod.spec, port) : { containers: pod.spec.containers, probers: {} };
  const scrape = isMerged && port !== 0 ? mergeScrape(annotations, port) : { annotations, scrapeJson: undefined };
  return {
    app: {
      ...pod,
      metadata: { ...pod.metadata, annotations: scrape.annotations },
      spec: { ...pod.spec, containers },
    },
    facts: {
      probersJson: Object.keys(probers).length === 0 ? undefined : JSON.stringify(probers),
      scrapeJson: scrape.scrapeJson,
    },
  };
}

/** The filled templates the pod asks for, one merged over the other. */
function templateOf(pod: PodLike, context: InjectContext, facts: AppFacts): PodTemplate {
  const { config } = context;
  const asked = pod.metadata?.annotations?.["inject.istio.io/templates"];
  const names = asked === undefined ? config.defaultTemplates : asked.split(",").map((name) => name.trim());
  const variables = templateVariables(pod, context, facts);
  return names
    .flatMap((name) => config.aliases?.[name] ?? [name])
    .map((name) => {
      if (!Object.hasOwn(config.templates, name))
        throw new InjectionError(
          `unknown injection template "${name}": there are ${Object.keys(config.templates).sort().join(", ")}`,
        );
      try {
        return fillTemplate(readTemplate(name, config.templates[name]), variables);
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        throw new InjectionError(`injection template "${name}": ${error.message}`);
      }
    })
    .reduce<unknown>((merged, filled) => merge(merged, filled, listKey), {}) as PodTemplate;
}

interface PodTemplate {
  readonly metadata?: PodLike["metadata"];
  readonly spec?: {
    readonly initContainers?: readonly Container[];
    readonly containers?: readonly Container[];
    readonly volumes?: readonly { readonly name: string }[];
    readonly imagePullSecrets?: readonly { readonly name: string }[];
  };
}

/** Merges the template over the pod, the user's own fields of the proxy container over that, and writes down what was added. */
function addProxy(pod: PodLike, template: PodTemplate, context: InjectContext): PodLike {
  const own = pod.spec.containers.filter((container) => container.name === PROXY);
  const rest = pod.spec.containers.filter((container) => container.name !== PROXY);
  const merged = merge({ ...pod, spec: { ...pod.spec, containers: rest } }, template, listKey) as PodLike;
  const containers = merged.spec.containers.map((container) =>
    own.reduce((proxy, mine) => (proxy.name === mine.name ? overlay(proxy, mine) : proxy), container),
  );
  const added = addedNames(pod, template);
  const status = { ...added, revision: context.revision };
  return {
    ...merged,
    metadata: {
      ...merged.metadata,
      annotations: {
        ...merged.metadata?.annotations,
        ...(own.length === 0 ? {} : { [OVERRIDES]: JSON.stringify({ containers: own }) }),
        [STATUS]: JSON.stringify(status),
      },
    },
    spec: withoutEmptyLists({ ...merged.spec, containers }),
  };
}

/**
 * `image: auto` is a placeholder that lets a pod with only the proxy in it pass the API server. The server takes a name without a
 * tag for "latest" and defaults its pull policy to Always: that is nobody's wish, and a loaded image could not be used.
 */
function overlay(proxy: Container, mine: Container): Container {
  const { image, imagePullPolicy, ...fields } = mine;
  if (image !== undefined && image !== "auto") return merge(proxy, mine, listKey) as Container;
  const policy = imagePullPolicy === "Always" ? {} : compact({ imagePullPolicy });
  return merge(proxy, { ...fields, ...policy }, listKey) as Container;
}

/** Lists of a pod by the member that tells items apart, as Kubernetes' strategic merge has them. */
function listKey(path: readonly string[]): string | undefined {
  return LIST_KEYS.get(path.at(-1) ?? "");
}

const LIST_KEYS: ReadonlyMap<string, string> = new Map([
  ["containers", "name"],
  ["initContainers", "name"],
  ["volumes", "name"],
  ["imagePullSecrets", "name"],
  ["env", "name"],
  ["volumeMounts", "mountPath"],
  ["ports", "containerPort"],
]);

function addedNames(pod: PodLike, template: PodTemplate): Readonly<Record<string, readonly string[] | null>> {
  const lists = ["initContainers", "containers", "volumes", "imagePullSecrets"] as const;
  return Object.fromEntries(
    lists.map((list) => {
      const before = list === "containers" ? [] : ((pod.spec[list] ?? []) as readonly { readonly name: string }[]);
      const names = (template.spec?.[list] ?? [])
        .map((item) => item.name)
        .filter((name) => !before.some((item) => item.name === name));
      return [list, names.length === 0 ? null : names];
    }),
  );
}

function withoutEmptyLists(spec: PodLike["spec"]): PodLike["spec"] {
  const entries = Object.entries(spec).filter(
    ([key, value]) =>
      !(["initContainers", "imagePullSecrets"].includes(key) && Array.isArray(value) && value.length === 0),
  );
  return Object.fromEntries(entries) as unknown as PodLike["spec"];
}

function remarks(pod: PodLike): string[] {
  const warnings: string[] = [];
  const policy = pod.spec["dnsPolicy"];
  if (typeof policy === "string" && policy !== "ClusterFirst")
    warnings.push(`dnsPolicy ${policy}: the proxy may not resolve services of the cluster`);
  for (const container of pod.spec.containers) {
    const context = container["securityContext"] as { runAsUser?: number } | undefined;
    if (container.name !== PROXY && context?.runAsUser === 1337)
      warnings.push(`container ${container.name} runs as user 1337, the proxy's: its traffic is not captured`);
  }
  return warnings;
}

function difference(before: PodLike, after: PodLike): readonly PatchOperation[] {
  return jsonPatch.compare(before, after) as PatchOperation[];
}
