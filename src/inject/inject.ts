import { default as jsonPatch } from "fast-json-patch";
import { compact } from "../base/compact.ts";
import { strategicMerge } from "../base/strategic-merge.ts";
import { isTrue, RESERVED_PORTS } from "../model/annotation-values.ts";
import type { InjectionDecision } from "../model/injection.ts";
import type { Container } from "../resources/core.ts";
import { annotationRemarks, checkMetadata } from "./annotations.ts";
import { statusPort } from "./capture.ts";
import type { InjectContext, PodLike } from "./config.ts";
import { decide } from "./decide.ts";
import { listKey } from "./lists.ts";
import { inOrder } from "./order.ts";
import { rewriteProbes } from "./probes.ts";
import { mergeScrape } from "./prometheus.ts";
import { holdsApplication, proxyConfigOf } from "./proxy-settings.ts";
import { filledTemplate, templateNames } from "./templates.ts";
import { OVERRIDES, type Overrides, PROXY, STATUS, statusOf, uninject } from "./uninject.ts";
import { type PodFacts, templateVariables } from "./variables.ts";

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

/**
 * Puts the proxy into a pod, or says why not: the one function behind the webhook and `meshctl inject`. Pure, and idempotent:
 * injecting the result again changes nothing. Throws InjectionError for input that must not be half obeyed.
 */
export function inject(pod: PodLike, context: InjectContext): Injection {
  const decision = decide(pod, context);
  if (!decision.inject) return { decision, pod, patch: [] };
  const own = uninject(pod);
  checkMetadata(own.metadata ?? {});
  const { app, facts } = prepared(own, context);
  const injected = addProxy(own, app, { context, facts });
  const warnings = [...decision.warnings, ...annotationRemarks(own.metadata ?? {}), ...remarks(own)];
  return {
    decision: { ...decision, warnings },
    pod: injected,
    // worked out only for who asks: files are written from the pod
    get patch() {
      return difference(pod, injected);
    },
  };
}

/** The application's probes and scrapes go through the agent; what they were, and how the proxy runs, is handed to the template. */
function prepared(pod: PodLike, context: InjectContext): { readonly app: PodLike; readonly facts: PodFacts } {
  const { values, meshConfig } = context;
  const annotations = pod.metadata?.annotations ?? {};
  const port = statusPort({ annotations, values });
  const asked = (name: string, fallback: boolean): boolean => {
    const value = annotations[name];
    return port !== 0 && (value === undefined ? fallback : isTrue(value));
  };
  const isRewritten = asked(
    "sidecar.istio.io/rewriteAppHTTPProbers",
    values.sidecarInjectorWebhook.rewriteAppHTTPProbe,
  );
  const isMerged = asked("prometheus.istio.io/merge-metrics", meshConfig.enablePrometheusMerge ?? true);
  const { spec, probers } = isRewritten ? rewriteProbes(pod.spec, port) : { spec: pod.spec, probers: {} };
  const scrape = isMerged ? mergeScrape(annotations, port) : { annotations, scrapeJson: undefined };
  const proxyConfig = proxyConfigOf(annotations, pod.metadata?.labels ?? {}, context);
  const wish = annotations["sidecar.istio.io/nativeSidecar"];
  const hasApps = pod.spec.containers.some(({ name }) => name !== PROXY);
  return {
    app: { ...pod, metadata: { ...pod.metadata, annotations: scrape.annotations }, spec },
    facts: {
      probersJson: Object.keys(probers).length === 0 ? undefined : JSON.stringify(probers),
      scrapeJson: scrape.scrapeJson,
      proxyConfig,
      isNative: hasApps && (wish === undefined ? context.nativeSidecars === true : isTrue(wish)),
      holds: holdsApplication(proxyConfig, values),
    },
  };
}

interface Means {
  readonly context: InjectContext;
  readonly facts: PodFacts;
}

/** Merges the templates over the pod, the user's own fields of the proxy container over that, and writes down what was added. */
function addProxy(own: PodLike, app: PodLike, { context, facts }: Means): PodLike {
  const overrides = proxiesOf(own);
  const variables = templateVariables(own, context, facts);
  const bare: PodLike = { ...app, spec: withoutProxies(app.spec) };
  const merged = templateNames(own.metadata?.annotations ?? {}, context.config).reduce<unknown>(
    (pod, name) => strategicMerge(pod, filledTemplate(name, variables, context), listKey),
    bare,
  ) as PodLike;
  const overlaid = { ...merged, spec: withOverrides(merged.spec, overrides) };
  const spec = inOrder(withoutEmptyLists(overlaid.spec, own.spec), facts);
  const noted = Object.keys(overrides).length === 0 ? {} : { [OVERRIDES]: JSON.stringify(overrides) };
  const annotations = { ...merged.metadata?.annotations, ...noted };
  const injected = { ...merged, metadata: { ...merged.metadata, annotations }, spec };
  const status = statusOf(own, injected, context.revision);
  return { ...injected, metadata: { ...injected.metadata, annotations: { ...annotations, [STATUS]: status } } };
}

/** Lists that a template leaves empty, and that the user has not, are not there. */
function withoutEmptyLists(spec: PodLike["spec"], own: PodLike["spec"]): PodLike["spec"] {
  const isKept = ([key, value]: [string, unknown]): boolean =>
    key in own || !Array.isArray(value) || value.length > 0 || key === "containers";
  return Object.fromEntries(Object.entries(spec).filter(isKept)) as unknown as PodLike["spec"];
}

function proxiesOf({ spec }: PodLike): Overrides {
  const named = (list: readonly Container[] | undefined): readonly Container[] | undefined => {
    const found = (list ?? []).filter(({ name }) => name === PROXY);
    return found.length === 0 ? undefined : found;
  };
  return compact({ containers: named(spec.containers), initContainers: named(spec.initContainers) });
}

function withoutProxies(spec: PodLike["spec"]): PodLike["spec"] {
  const others = (list: readonly Container[]): readonly Container[] => list.filter(({ name }) => name !== PROXY);
  const init = spec.initContainers === undefined ? {} : { initContainers: others(spec.initContainers) };
  return { ...spec, ...init, containers: others(spec.containers) };
}

function withOverrides(spec: PodLike["spec"], { containers = [], initContainers = [] }: Overrides): PodLike["spec"] {
  const mine = [...containers, ...initContainers];
  const overlaid = spec.containers.map((container) =>
    container.name === PROXY ? mine.reduce<Container>(overlay, withoutDoubles(container)) : container,
  );
  // no template has a proxy: the user's own stays as it is
  const isKnown = overlaid.some(({ name }) => name === PROXY);
  return { ...spec, containers: isKnown ? overlaid : [...overlaid, ...mine] };
}

/** Of a variable that is set twice the later counts, as in Kubernetes. */
function withoutDoubles(container: Container): Container {
  const { env } = container;
  return env === undefined
    ? container
    : { ...container, env: [...new Map(env.map((one) => [one.name, one])).values()] };
}

/**
 * `image: auto` is a placeholder that lets a pod with only the proxy in it pass the API server. The server takes a name without a
 * tag for "latest" and defaults its pull policy to Always: that is nobody's wish, and a loaded image could not be used.
 */
function overlay(proxy: Container, mine: Container): Container {
  const { image, imagePullPolicy, ...fields } = mine;
  if (image !== undefined && image !== "auto") return strategicMerge(proxy, mine, listKey) as Container;
  const policy = imagePullPolicy === "Always" ? {} : compact({ imagePullPolicy });
  return strategicMerge(proxy, { ...fields, ...policy }, listKey) as Container;
}

/** What a pod has that works badly, or not at all, with a proxy beside it. */
function remarks({ spec }: PodLike): string[] {
  const apps = spec.containers.filter(({ name }) => name !== PROXY);
  const policy = spec["dnsPolicy"];
  const isOdd = typeof policy === "string" && policy !== "ClusterFirst";
  return [
    ...(isOdd ? [`dnsPolicy ${policy}: the proxy may not resolve services of the cluster`] : []),
    ...apps
      .filter((container) => (userOf(container) ?? userOf(spec)) === 1337)
      .map(({ name }) => `container ${name} runs as user 1337, the proxy's: its traffic is not captured`),
    ...apps.flatMap(({ name, ports = [] }) =>
      ports
        .filter(({ containerPort }) => RESERVED_PORTS.has(containerPort))
        .map(
          ({ containerPort }) => `container ${name} has port ${containerPort}, the proxy's: one of them cannot listen`,
        ),
    ),
  ];
}

function userOf({
  securityContext,
}: {
  readonly securityContext?: unknown;
  readonly [key: string]: unknown;
}): number | undefined {
  return (securityContext as { readonly runAsUser?: number } | undefined)?.runAsUser;
}

function difference(before: PodLike, after: PodLike): readonly PatchOperation[] {
  return jsonPatch.compare(before, after) as PatchOperation[];
}
