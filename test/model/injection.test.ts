import fc from "fast-check";
import { expect, test } from "vitest";
import { decideInjection, explainInjection, INJECT_LABEL, type InjectionSubject } from "../../src/model/injection.ts";
import type { InjectionEdit } from "../../src/model/injection-rules.ts";
import type { InjectorPolicy } from "../../src/model/injection-rules.ts";
import { IGNORED_NAMESPACES } from "../../src/model/injection-rules.ts";
import { injectionWebhooks, webhooksCalled } from "../../src/model/injection-webhooks.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { renderedObjects } from "../support/injection.ts";
import { injectionTruthTable, type TruthRow } from "../support/injection-table.ts";

const rendered = (...set: string[]) =>
  injectionWebhooks(renderedObjects("default", set).filter(({ kind }) => kind === "MutatingWebhookConfiguration"));
const webhooks = rendered();

type Labels = Readonly<Record<string, string>>;
interface Case {
  readonly namespace?: Labels | undefined;
  readonly name?: string;
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly hostNetwork?: boolean;
  readonly injector?: InjectorPolicy;
  readonly calls?: InjectionSubject["calls"];
}

function subject(given: Case): InjectionSubject {
  const { labels = {}, annotations = {}, hostNetwork = false, name = "shop", injector, calls = webhooks } = given;
  return {
    pod: { metadata: { labels, annotations }, spec: hostNetwork ? { hostNetwork } : {} },
    namespace: { name, labels: "namespace" in given ? given.namespace : {} },
    calls,
    injector,
  };
}

/** Rows that the decision, or the selectors, answer in another way; and those whose webhook is another one. */
function wrongRows(rows: readonly TruthRow[], calls: typeof webhooks, byDefault: boolean): readonly TruthRow[] {
  return rows.filter((row) => {
    const annotations = row.annotation === undefined ? {} : { [INJECT_LABEL]: row.annotation };
    const given = { ...row, labels: row.pod, annotations, injector: { policy: row.policy } };
    const about = { ...subject({ ...given, calls }), byDefault };
    const assumed = { ...subject({ ...given, calls: "assumed" }), byDefault };
    // of labels alone nobody knows which revisions there are
    const isOther = explainInjection(assumed).revision === "other";
    const called = webhooksCalled(calls, { name: "shop", labels: row.namespace }, row.pod);
    const names = called.map(({ webhook }) => webhook.name?.replace(".sidecar-injector.istio.io", ""));
    return (
      decideInjection(about).inject !== row.injected ||
      (!isOther && decideInjection(assumed).inject !== row.injected) ||
      names.length > 1 ||
      names[0] !== row.webhook
    );
  });
}

test("the truth table, row by row; the webhook that is called is the one of the table", () => {
  const table = injectionTruthTable();
  expect(table).toHaveLength(8 * 8 * 4 * 3);
  expect(wrongRows(table, webhooks, false)).toEqual([]);
});

const byDefault = rendered("values.sidecarInjectorWebhook.enableNamespacesByDefault=true");

test("the truth table where namespaces that say nothing are injected", () => {
  const table = injectionTruthTable("by-default");
  expect(table).toHaveLength(8 * 4 * 3);
  const labelled = injectionTruthTable().filter(({ namespace }) => Object.keys(namespace).length > 0);
  expect(wrongRows([...table, ...labelled], byDefault, true)).toEqual([]);
  for (const name of IGNORED_NAMESPACES) {
    const labels = { "kubernetes.io/metadata.name": name };
    expect(webhooksCalled(byDefault, { name, labels }, {})).toEqual([]);
    expect(decideInjection({ ...subject({ name, namespace: labels, calls: byDefault }), byDefault: true }).inject).toBe(
      false,
    );
  }
});

const value = fc.constantFrom(undefined, "default", "other", "enabled", "disabled", "true", "false", "True");
const labelSet = fc
  .record({ "istio-injection": value, "istio.io/rev": value, [INJECT_LABEL]: value })
  .map((all) => Object.fromEntries(Object.entries(all).flatMap(([key, v]) => (v === undefined ? [] : [[key, v]]))));
const policy = fc.record({
  policy: fc.constantFrom("enabled", "disabled", "sometimes"),
  neverInjectSelector: fc.constantFrom(undefined, [{}], [{ matchLabels: { [INJECT_LABEL]: "True" } }]),
  alwaysInjectSelector: fc.constantFrom(undefined, [{}], [{ matchLabels: { "istio.io/rev": "default" } }]),
});
const anyCase = fc.record({
  namespace: labelSet,
  labels: labelSet,
  annotations: labelSet,
  hostNetwork: fc.boolean(),
  injector: policy,
});

test("property: words by labels and selectors of the rendered webhooks agree about the default revision", () => {
  fc.assert(
    fc.property(anyCase, (given) => {
      const known = decideInjection(subject(given));
      const assumed = explainInjection(subject({ ...given, calls: "assumed" }));
      const isOther = assumed.revision !== undefined && assumed.revision !== "default";
      if (isOther) expect(known).toMatchObject({ inject: false, rule: "webhook" });
      else expect(known).toMatchObject({ inject: assumed.inject, rule: assumed.rule, reason: assumed.reason });
    }),
    { numRuns: 1000 },
  );
});

test("property: the decision is that of its last step, and following the advice ends in the opposite decision", () => {
  fc.assert(
    fc.property(anyCase, (given) => {
      const about = subject(given);
      const first = explainInjection(about);
      expect(decideInjection(about)).toMatchObject({ inject: first.inject, rule: first.steps.at(-1)?.rule });
      let current: InjectionSubject = about;
      let judged = first;
      for (let turn = 0; turn < 5 && judged.inject === first.inject; turn += 1) {
        const edits = judged.steps.at(-1)?.change?.edits ?? [];
        expect(edits.length, judged.reason).toBeGreaterThan(0);
        current = edits.reduce(applied, current);
        judged = explainInjection(current);
      }
      expect(judged.inject, JSON.stringify(given)).toBe(!first.inject);
    }),
    { numRuns: 500 },
  );
});

function applied(about: InjectionSubject, { on, path, value: to }: InjectionEdit): InjectionSubject {
  if (on === "pod") return { ...about, pod: put(about.pod, path, to) };
  if (on === "injector") return { ...about, injector: put(about.injector ?? { policy: "enabled" }, path, to) };
  const { metadata } = put({ metadata: { labels: about.namespace.labels ?? {} } }, path, to);
  return { ...about, namespace: { ...about.namespace, labels: metadata.labels } };
}

function put<T extends object>(object: T, [key = "", ...rest]: readonly string[], to: string | undefined): T {
  const inner = (object as Record<string, unknown>)[key];
  if (rest.length > 0) return { ...object, [key]: put((inner ?? {}) as object, rest, to) };
  const { [key]: _, ...others } = object as Record<string, unknown>;
  return (to === undefined ? others : { ...others, [key]: to }) as T;
}

const inShop: Case = { namespace: { "istio-injection": "enabled" } };
const never = [{ matchLabels: { job: "batch" } }];

test.each<[string, Case, boolean, string]>([
  ["host network", { ...inShop, hostNetwork: true }, false, "host-network"],
  ["a namespace of the cluster itself", { ...inShop, name: "kube-system" }, false, "ignored-namespace"],
  [
    "never beats policy",
    { ...inShop, labels: { job: "batch" }, injector: { policy: "enabled", neverInjectSelector: never } },
    false,
    "never-selector",
  ],
  [
    "an annotation beats never",
    {
      ...inShop,
      labels: { job: "batch" },
      annotations: { [INJECT_LABEL]: "true" },
      injector: { policy: "enabled", neverInjectSelector: never },
    },
    true,
    "pod-annotation",
  ],
  [
    "always beats a disabled policy",
    { ...inShop, labels: { job: "batch" }, injector: { policy: "disabled", alwaysInjectSelector: never } },
    true,
    "always-selector",
  ],
  [
    "never beats always",
    {
      ...inShop,
      labels: { job: "batch" },
      injector: { policy: "enabled", neverInjectSelector: never, alwaysInjectSelector: never },
    },
    false,
    "never-selector",
  ],
  [
    "an empty selector selects nothing",
    { ...inShop, injector: { policy: "enabled", neverInjectSelector: [{}] } },
    true,
    "policy",
  ],
  ["a revision that is not there", { namespace: { "istio.io/rev": "canary" } }, false, "webhook"],
  [
    "a revision that is not there, in files",
    { namespace: { "istio.io/rev": "canary" }, calls: "assumed" },
    true,
    "policy",
  ],
])("%s", (_, given, inject, rule) => {
  expect(decideInjection(subject(given))).toMatchObject({ inject, rule });
});

test("an unknown namespace: unknown, unless the pod says it or cannot be injected at all", () => {
  const away = { namespace: undefined } as const;
  const outcome = (given: Case) => decideInjection(subject({ ...away, ...given })).outcome;
  expect(outcome({})).toBe("unknown");
  expect(outcome({ calls: "assumed" })).toBe("unknown");
  expect(outcome({ labels: { [INJECT_LABEL]: "true" } })).toBe("injected");
  expect(outcome({ labels: { [INJECT_LABEL]: "false" } })).toBe("not-injected");
  expect(outcome({ hostNetwork: true })).toBe("not-injected");
  expect(outcome({ annotations: { [INJECT_LABEL]: "false" } })).toBe("not-injected");
});

test("a value that means nothing is warned of and counts as none; two webhooks are warned of", () => {
  expect(decideInjection(subject({ ...inShop, labels: { [INJECT_LABEL]: "True" } }))).toMatchObject({
    inject: true,
    warnings: [`pod label ${INJECT_LABEL} is "True": only true and false have a meaning`],
  });
  const twice = decideInjection(subject({ ...inShop, calls: [...webhooks, ...webhooks] }));
  expect(twice.warnings).toEqual([expect.stringMatching(/^2 webhooks inject this pod: /)]);
});

test("a webhook that selects pods by labels of its own is called, whatever the usual labels say", () => {
  const own: KubeObject = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "own", labels: { "istio.io/rev": "blue" } },
    webhooks: [{ name: "own.istio.io", namespaceSelector: { matchLabels: { team: "a" } } }],
  } as KubeObject;
  const judged = explainInjection(subject({ namespace: { team: "a" }, calls: injectionWebhooks([own]) }));
  expect(judged).toMatchObject({ inject: true, revision: "blue" });
  expect(judged.steps.find(({ rule }) => rule === "nobody-asks")?.because).toContain("selects the pod all the same");
});
