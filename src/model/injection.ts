import type { PodSpec } from "../resources/core.ts";
import type { ObjectMeta } from "../resources/object.ts";
import {
  type Facts,
  INJECTION_RULES,
  type InjectionChange,
  type InjectionRule,
  type InjectorPolicy,
  oddWishes,
  type Verdict,
} from "./injection-rules.ts";
import { type ConfiguredWebhook, webhooksCalled } from "./injection-webhooks.ts";

export { INJECT_LABEL } from "./injection-rules.ts";

/** What injection is decided from. */
export interface InjectionSubject {
  /** A pod or a pod template. */
  readonly pod: { readonly metadata?: Partial<ObjectMeta> | undefined; readonly spec?: Partial<PodSpec> | undefined };
  /** `labels` are absent when the Namespace is not known. */
  readonly namespace: { readonly name: string; readonly labels?: Labels | undefined };
  /**
   * Stage 1, does the API server call a webhook: `asked` when it has, or when nobody needs to (a command was told to inject);
   * the webhooks that there are; `assumed` when they are not known: then every revision that is asked for is taken to be there.
   */
  readonly calls: "asked" | "assumed" | readonly ConfiguredWebhook[];
  /** Stage 2, the settings of the injector that is called; absent: those of a new install. */
  readonly injector?: InjectorPolicy | undefined;
  /** Whether the default revision takes namespaces that say nothing (values.sidecarInjectorWebhook.enableNamespacesByDefault). */
  readonly byDefault?: boolean | undefined;
}

/** Whether a pod is injected and why, in words for a person. */
export interface InjectionDecision {
  readonly inject: boolean;
  readonly reason: string;
  readonly warnings: readonly string[];
}

/** The decision about an InjectionSubject. */
export interface JudgedInjection extends InjectionDecision {
  /** `unknown`: the Namespace is not known, and the pod says nothing itself. */
  readonly outcome: "injected" | "not-injected" | "unknown";
  /** The rule that decided: its name in INJECTION_RULES. */
  readonly rule: string;
  /** The revision whose injector is called; absent when none is, or when stage 1 is not judged. */
  readonly revision?: string;
}

/** One rule of the decision, as it was applied. */
export interface InjectionStep {
  readonly rule: string;
  /** What reads it: labels and webhooks by the API server, the rest by the injector. */
  readonly stage: InjectionRule["stage"];
  /** `next`: it says nothing, the next rule is asked. `call`: a webhook is called, the injector decides. */
  readonly outcome: Verdict["outcome"] | "next";
  readonly because: string;
  /** What would turn this step's outcome around; absent where nothing is decided or nothing helps. */
  readonly change?: InjectionChange;
}

type Labels = Readonly<Record<string, string>>;

/**
 * Whether a pod gets a proxy: the one answer for the webhook, the command, `inject explain`, analyzers and the compiler. The
 * rules and their order are the table INJECTION_RULES (istioctl.md 4.1 and 4.2).
 */
export function decideInjection(subject: InjectionSubject): JudgedInjection {
  return decided(factsOf(subject), () => undefined);
}

/** The same decision, with every rule that was asked on the way. */
export function explainInjection(subject: InjectionSubject): JudgedInjection & {
  readonly steps: readonly InjectionStep[];
} {
  const facts = factsOf(subject);
  const steps: InjectionStep[] = [];
  const judged = decided(facts, ({ name, stage, silent }, verdict) => {
    const base = { rule: name, stage };
    if (verdict === undefined) steps.push({ ...base, outcome: "next", because: silent(facts) });
    else {
      const { outcome, because, change } = verdict;
      steps.push({ ...base, outcome, because, ...(change === undefined ? {} : { change }) });
    }
  });
  return { ...judged, steps };
}

function factsOf({ pod, namespace, calls, injector, byDefault }: InjectionSubject): Facts {
  const labels = pod.metadata?.labels ?? {};
  return {
    spec: pod.spec ?? {},
    labels,
    annotations: pod.metadata?.annotations ?? {},
    namespace: namespace.name,
    namespaceLabels: namespace.labels,
    byDefault: byDefault === true,
    webhooks: typeof calls === "string" ? undefined : calls,
    called: typeof calls === "string" ? undefined : webhooksCalled(calls, namespace, labels),
    isAsked: calls === "asked",
    injector: injector ?? { policy: "enabled" },
  };
}

/** Goes through the table, stage by stage. `seen` gets each rule that was asked with what it said. */
function decided(facts: Facts, seen: Seen): JudgedInjection {
  const warnings: string[] = [...oddWishes(facts)];
  const called = facts.isAsked ? undefined : callOf(facts, seen, warnings);
  const revision = called?.verdict.revision;
  if (called?.verdict.outcome === "skip") return judgedBy(called, warnings, revision);
  const injector = firstVerdict("injector", { facts, seen });
  // the injector may refuse the pod whatever an unknown namespace says
  const isOpen = called?.verdict.outcome === "unknown" && injector.verdict.outcome === "inject";
  return judgedBy(isOpen ? called : injector, warnings, revision);
}

/** Stage 1, with the revision that is called; where labels decide already, that is the end of it. */
function callOf(facts: Facts, seen: Seen, warnings: string[]): Judged {
  const labels = firstVerdict("labels", { facts, seen });
  if (labels.verdict.outcome !== "call") return labels;
  const { rule, verdict } = firstVerdict("webhook", { facts, seen, revision: labels.verdict.revision });
  if (verdict.warning !== undefined) warnings.push(verdict.warning);
  return { rule, verdict: { ...verdict, revision: verdict.revision ?? labels.verdict.revision } };
}

type Seen = (rule: InjectionRule, verdict: Verdict | undefined) => void;

interface Judged {
  readonly rule: InjectionRule;
  readonly verdict: Verdict;
}

function firstVerdict(
  stage: InjectionRule["stage"],
  { facts, seen, revision }: { readonly facts: Facts; readonly seen: Seen; readonly revision?: string | undefined },
): Judged {
  for (const rule of INJECTION_RULES) {
    if (rule.stage !== stage) continue;
    const verdict = rule.judge(facts, revision);
    seen(rule, verdict);
    if (verdict !== undefined) return { rule, verdict };
  }
  throw new Error(`the last rule of stage ${stage} decides`);
}

function judgedBy({ rule, verdict }: Judged, warnings: readonly string[], revision?: string): JudgedInjection {
  const { outcome, because } = verdict;
  return {
    inject: outcome === "inject",
    outcome: outcome === "inject" ? "injected" : outcome === "unknown" ? "unknown" : "not-injected",
    reason: because,
    warnings,
    rule: rule.name,
    ...(revision === undefined ? {} : { revision }),
  };
}
