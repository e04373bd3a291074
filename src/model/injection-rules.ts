import type { PodSpec } from "../resources/core.ts";
import { type ConfiguredWebhook, REVISION_LABEL, revisionOfWebhook, revisionsOf } from "./injection-webhooks.ts";
import { type LabelSelector, matchesSelector } from "./label-selector.ts";

/** Label (and annotation) of pods that asks for injection or refuses it. */
export const INJECT_LABEL = "sidecar.istio.io/inject";

/** Label of namespaces that asks for the default revision, or for none. */
export const NAMESPACE_LABEL = "istio-injection";

/** Namespaces whose pods run the cluster itself. */
export const IGNORED_NAMESPACES: readonly string[] = [
  "kube-system",
  "kube-public",
  "kube-node-lease",
  "local-path-storage",
];

type Labels = Readonly<Record<string, string>>;

/** Settings of an injector that say who is injected. */
export interface InjectorPolicy {
  /** `enabled` injects where nothing else decides, `disabled` does not; any other value injects nobody. */
  readonly policy: string;
  readonly neverInjectSelector?: readonly LabelSelector[] | undefined;
  readonly alwaysInjectSelector?: readonly LabelSelector[] | undefined;
}

/** One field to change; `injector` is its configuration. Without a value the field goes. */
export interface InjectionEdit {
  readonly on: "namespace" | "pod" | "injector";
  readonly path: readonly string[];
  readonly value?: string;
}

/** What would turn the outcome of one step around; later steps then have their say. */
export interface InjectionChange {
  readonly words: string;
  /** The same as data; empty where it is no matter of one field. */
  readonly edits: readonly InjectionEdit[];
}

/** What the rules read: an InjectionSubject made ready. */
export interface Facts {
  readonly spec: Partial<PodSpec>;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly namespace: string;
  /** Undefined: the Namespace is not known. */
  readonly namespaceLabels: Labels | undefined;
  readonly byDefault: boolean;
  /** Undefined: not known. */
  readonly webhooks: readonly ConfiguredWebhook[] | undefined;
  /** Those whose selectors take the pod. */
  readonly called: readonly ConfiguredWebhook[] | undefined;
  /** Stage 1 is over: the injector was asked. */
  readonly isAsked: boolean;
  readonly injector: InjectorPolicy;
}

/** What a rule says. */
export interface Verdict {
  /** `call`: on to the next stage. */
  readonly outcome: "call" | "inject" | "skip" | "unknown";
  readonly because: string;
  readonly change?: InjectionChange | undefined;
  readonly warning?: string | undefined;
  /** Revision that is asked for, or called. */
  readonly revision?: string | undefined;
}

/** One rule of the table. */
export interface InjectionRule {
  readonly name: string;
  /** `labels` and `webhook`: whether the API server calls an injector. `injector`: what that one decides. */
  readonly stage: "labels" | "webhook" | "injector";
  /** What it says; undefined when it says nothing and the next rule is asked. */
  readonly judge: (facts: Facts, revision: string | undefined) => Verdict | undefined;
  /** Why it says nothing. */
  readonly silent: (facts: Facts) => string;
}

/**
 * The rules in their order; in each stage the first that says something decides. Labels: istioctl.md 4.1, what the selectors of
 * manifests/base/pilot.yaml say (a test holds the two together). Where the webhooks of a mesh are known their selectors decide, and
 * these rules give the words. Injector: istioctl.md 4.2.
 */
export const INJECTION_RULES: readonly InjectionRule[] = [
  {
    name: "pod-refuses",
    stage: "labels",
    judge: (facts) =>
      facts.labels[INJECT_LABEL] === "false"
        ? refused(facts, `pod label ${INJECT_LABEL}=false`, podLabel("true"))
        : undefined,
    silent: ({ labels }) => `pod label ${INJECT_LABEL} ${shown(labels[INJECT_LABEL])}`,
  },
  {
    name: "namespace-label",
    stage: "labels",
    judge(facts) {
      const value = facts.namespaceLabels?.[NAMESPACE_LABEL];
      if (value === undefined) return undefined;
      const because = `namespace label ${NAMESPACE_LABEL}=${value}`;
      if (value === "enabled") return asked(because, "default");
      return refused(facts, because, namespaceLabel("enabled"));
    },
    silent: (facts) => silentNamespace(facts, NAMESPACE_LABEL),
  },
  {
    name: "namespace-revision",
    stage: "labels",
    judge({ namespaceLabels }) {
      const value = namespaceLabels?.[REVISION_LABEL];
      return value === undefined ? undefined : asked(`namespace label ${REVISION_LABEL}=${value}`, value);
    },
    silent: (facts) => silentNamespace(facts, REVISION_LABEL),
  },
  {
    name: "pod-revision",
    stage: "labels",
    judge({ labels }) {
      const value = labels[REVISION_LABEL];
      return value === undefined ? undefined : asked(`pod label ${REVISION_LABEL}=${value}`, value);
    },
    silent: () => `pod label ${REVISION_LABEL} is not set`,
  },
  {
    name: "pod-asks",
    stage: "labels",
    judge: ({ labels }) =>
      labels[INJECT_LABEL] === "true" ? asked(`pod label ${INJECT_LABEL}=true`, "default") : undefined,
    silent: ({ labels, annotations }) =>
      annotations[INJECT_LABEL] === "true" && labels[INJECT_LABEL] === undefined
        ? `pod label ${INJECT_LABEL} is not set; the annotation of that name is not seen here`
        : `pod label ${INJECT_LABEL} ${shown(labels[INJECT_LABEL])}`,
  },
  {
    name: "by-default",
    stage: "labels",
    judge: ({ byDefault, labels, namespace, namespaceLabels }) =>
      byDefault &&
      namespaceLabels !== undefined &&
      labels[INJECT_LABEL] === undefined &&
      !IGNORED_NAMESPACES.includes(namespace)
        ? asked("enableNamespacesByDefault: namespaces that say nothing are injected", "default")
        : undefined,
    silent: ({ byDefault, namespace }) =>
      byDefault ? `namespace ${namespace} or the pod is left out of it` : "enableNamespacesByDefault is off",
  },
  {
    name: "nobody-asks",
    stage: "labels",
    judge(facts) {
      const { namespace, namespaceLabels } = facts;
      if (namespaceLabels === undefined && (facts.called ?? []).length === 0)
        return {
          outcome: "unknown",
          because: `the pod says nothing itself, and Namespace ${namespace} is not known`,
          change: podLabel("true"),
        };
      return refused(facts, "neither the namespace nor the pod asks for injection", namespaceLabel("enabled"));
    },
    silent: () => "",
  },
  { name: "webhook", stage: "webhook", judge: judgeWebhook, silent: () => "" },
  {
    name: "host-network",
    stage: "injector",
    judge: ({ spec }) =>
      spec.hostNetwork === true
        ? {
            outcome: "skip",
            because: "the pod uses the host network",
            change: change("remove spec.hostNetwork from the pod", "pod", ["spec", "hostNetwork"]),
          }
        : undefined,
    silent: () => "spec.hostNetwork is not true",
  },
  {
    name: "ignored-namespace",
    stage: "injector",
    judge: ({ namespace }) =>
      IGNORED_NAMESPACES.includes(namespace)
        ? {
            outcome: "skip",
            because: `namespace ${namespace} is never injected`,
            change: { words: "move the pod to another namespace", edits: [] },
          }
        : undefined,
    silent: ({ namespace }) => `namespace ${namespace} is not one of ${IGNORED_NAMESPACES.join(", ")}`,
  },
  {
    name: "pod-label",
    stage: "injector",
    judge: (facts) => judgeWish(facts, "label", facts.labels[INJECT_LABEL]),
    silent: (facts) => `pod label ${INJECT_LABEL} ${shown(facts.labels[INJECT_LABEL])}${powerless(facts)}`,
  },
  {
    name: "pod-annotation",
    stage: "injector",
    judge: (facts) =>
      facts.labels[INJECT_LABEL] === undefined
        ? judgeWish(facts, "annotation", facts.annotations[INJECT_LABEL])
        : undefined,
    silent: (facts) =>
      facts.labels[INJECT_LABEL] === undefined
        ? `pod annotation ${INJECT_LABEL} ${shown(facts.annotations[INJECT_LABEL])}${powerless(facts)}`
        : "read only where there is no label of that name",
  },
  {
    name: "never-selector",
    stage: "injector",
    judge: (facts) =>
      isPolicy(facts) && anySelects(facts.injector.neverInjectSelector, facts.labels)
        ? { outcome: "skip", because: "neverInjectSelector selects the pod", change: podLabel("true") }
        : undefined,
    silent: ({ injector }) => silentSelector("neverInjectSelector", injector.neverInjectSelector),
  },
  {
    name: "always-selector",
    stage: "injector",
    judge: (facts) =>
      isPolicy(facts) && anySelects(facts.injector.alwaysInjectSelector, facts.labels)
        ? { outcome: "inject", because: "alwaysInjectSelector selects the pod", change: podLabel("false") }
        : undefined,
    silent: ({ injector }) => silentSelector("alwaysInjectSelector", injector.alwaysInjectSelector),
  },
  {
    name: "policy",
    stage: "injector",
    judge({ injector: { policy } }) {
      if (policy === "enabled")
        return { outcome: "inject", because: "injector policy is enabled", change: podLabel("false") };
      if (policy === "disabled")
        return { outcome: "skip", because: "injector policy is disabled", change: podLabel("true") };
      return {
        outcome: "skip",
        because: `injector policy "${policy}" is neither enabled nor disabled`,
        change: change("set policy of the injector's configuration to enabled", "injector", ["policy"], "enabled"),
      };
    },
    silent: () => "",
  },
];

function asked(because: string, revision: string): Verdict {
  return { outcome: "call", because, revision, change: podLabel("false") };
}

/** Labels refuse; a webhook that takes the pod all the same is called. */
function refused({ called = [] }: Facts, because: string, turn: InjectionChange): Verdict {
  const [first] = called;
  if (first === undefined) return { outcome: "skip", because, change: turn };
  return { outcome: "call", because: `${because}; webhook ${first.webhook.name ?? ""} selects the pod all the same` };
}

function judgeWebhook({ webhooks = [], called, labels, namespaceLabels }: Facts, revision = "default"): Verdict {
  if (called === undefined)
    return { outcome: "call", because: `which webhooks there are is not known: revision ${revision} is assumed` };
  const names = called.map(({ object, webhook }) => `${object.metadata.name}/${webhook.name ?? ""}`);
  const [first] = called;
  if (first !== undefined)
    return {
      outcome: "call",
      because: `the API server calls ${names.join(" and ")}`,
      revision: revisionOfWebhook(first),
      warning: names.length > 1 ? `${names.length} webhooks inject this pod: ${names.join(", ")}` : undefined,
    };
  const known = [...new Set(webhooks.flatMap(({ object }) => revisionsOf(object)))].toSorted();
  return {
    outcome: "skip",
    because: `no webhook answers to revision ${revision}: there ${known.length === 0 ? "is none" : `are those of ${known.join(", ")}`}`,
    change: toRevision(known[0], namespaceLabels, labels),
  };
}

/** Another revision in the place where one is named that is not there. */
function toRevision(known: string | undefined, namespace: Labels | undefined, pod: Labels): InjectionChange {
  const words = "install a control plane of that revision, or ask for one that is there";
  if (known === undefined) return { words: "install a control plane", edits: [] };
  const on = namespace?.[REVISION_LABEL] === undefined ? "pod" : "namespace";
  const isNamed =
    namespace?.[NAMESPACE_LABEL] === undefined && (on === "namespace" || pod[REVISION_LABEL] !== undefined);
  return { words, edits: isNamed ? [{ on, path: ["metadata", "labels", REVISION_LABEL], value: known }] : [] };
}

function judgeWish(facts: Facts, form: "label" | "annotation", value: string | undefined): Verdict | undefined {
  const source = `pod ${form} ${INJECT_LABEL}`;
  if (value === "false") return { outcome: "skip", because: `${source}=false`, change: podLabel("true") };
  if (value === "true" && isPolicy(facts))
    return { outcome: "inject", because: `${source}=true`, change: podLabel("false") };
  return undefined;
}

/** Words about values of the inject label and annotation that mean nothing; what is empty counts as not written. */
export function oddWishes({ labels, annotations }: Pick<Facts, "labels" | "annotations">): readonly string[] {
  const form = labels[INJECT_LABEL] === undefined ? "annotation" : "label";
  const value = labels[INJECT_LABEL] ?? annotations[INJECT_LABEL];
  if (value === undefined || value === "" || value === "true" || value === "false") return [];
  return [`pod ${form} ${INJECT_LABEL} is "${value}": only true and false have a meaning`];
}

function isPolicy({ injector: { policy } }: Facts): boolean {
  return policy === "enabled" || policy === "disabled";
}

function powerless(facts: Facts): string {
  return isPolicy(facts) ? "" : "; with a policy that means nothing it does not help";
}

function shown(value: string | undefined): string {
  return value === undefined ? "is not set" : `is "${value}"`;
}

function silentNamespace({ namespaceLabels }: Facts, label: string): string {
  return namespaceLabels === undefined ? "the Namespace is not known" : `namespace label ${label} is not set`;
}

function silentSelector(name: string, selectors: readonly LabelSelector[] | undefined): string {
  return `${name} ${(selectors ?? []).length === 0 ? "is empty" : "does not select the pod"}`;
}

function change(
  words: string,
  on: InjectionChange["edits"][number]["on"],
  path: readonly string[],
  value?: string,
): InjectionChange {
  return { words, edits: [{ on, path, ...(value === undefined ? {} : { value }) }] };
}

function podLabel(value: string): InjectionChange {
  return change(`label the pod ${INJECT_LABEL}=${value}`, "pod", ["metadata", "labels", INJECT_LABEL], value);
}

function namespaceLabel(value: string): InjectionChange {
  const path = ["metadata", "labels", NAMESPACE_LABEL];
  return change(`label the namespace ${NAMESPACE_LABEL}=${value}`, "namespace", path, value);
}

/** An empty selector would select every pod: in these lists it counts as not written. */
function anySelects(selectors: readonly LabelSelector[] | undefined, labels: Labels): boolean {
  return (selectors ?? []).some((selector) => !isEmpty(selector) && matchesSelector(selector, labels));
}

function isEmpty(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;
}
