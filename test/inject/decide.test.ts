import fc from "fast-check";
import { expect, test } from "vitest";
import type { InjectorConfig, PodLike } from "../../src/inject/config.ts";
import { injectionRequired } from "../../src/inject/decide.ts";
import { callingWebhook } from "../../src/model/injection.ts";
import { type LabelSelector, matchesSelector } from "../../src/model/label-selector.ts";
import { renderedObjects } from "../support/injection.ts";

interface Webhook {
  readonly name: string;
  readonly namespaceSelector: LabelSelector;
  readonly objectSelector: LabelSelector;
}
const webhooks = renderedObjects("default").find(({ kind }) => kind === "MutatingWebhookConfiguration")?.[
  "webhooks"
] as Webhook[];

const value = fc.constantFrom(undefined, "default", "other", "enabled", "disabled", "true", "false", "True");
const labels = fc
  .record({ "istio-injection": value, "istio.io/rev": value, "sidecar.istio.io/inject": value })
  .map((all) => Object.fromEntries(Object.entries(all).flatMap(([key, v]) => (v === undefined ? [] : [[key, v]]))));

test("property: the rendered webhook selectors and callingWebhook say the same, and never two webhooks match", () => {
  fc.assert(
    fc.property(labels, labels, (namespace, pod) => {
      const called = webhooks.filter(
        (webhook) =>
          matchesSelector(webhook.namespaceSelector, namespace) && matchesSelector(webhook.objectSelector, pod),
      );
      expect(called.length).toBeLessThanOrEqual(1);
      expect(callingWebhook(namespace, pod, "default").inject, called[0]?.name).toBe(called.length === 1);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  [{ "istio-injection": "enabled" }, {}, true],
  [{ "istio-injection": "disabled" }, { "sidecar.istio.io/inject": "true" }, false],
  [{ "istio-injection": "enabled" }, { "sidecar.istio.io/inject": "false" }, false],
  [{ "istio.io/rev": "default" }, {}, true],
  [{ "istio.io/rev": "other" }, { "istio.io/rev": "default" }, false],
  [{}, { "istio.io/rev": "default" }, true],
  [{}, { "sidecar.istio.io/inject": "true" }, true],
  [{}, {}, false],
])("stage 1: namespace %j, pod %j: %s", (namespace, pod, injected) => {
  expect(callingWebhook(namespace, pod, "default").inject).toBe(injected);
});

const config: InjectorConfig = { policy: "enabled", defaultTemplates: ["sidecar"], templates: {} };
const never = [{ matchLabels: { job: "batch" } }];
const pod = (metadata: object, spec: object = {}): PodLike => ({ metadata, spec: { containers: [], ...spec } });
const inject = "sidecar.istio.io/inject";

test.each<[string, PodLike, Partial<InjectorConfig>, boolean]>([
  ["host network", pod({}, { hostNetwork: true }), {}, false],
  [
    "label true beats annotation false",
    pod({ labels: { [inject]: "true" }, annotations: { [inject]: "false" } }),
    {},
    true,
  ],
  ["annotation false", pod({ annotations: { [inject]: "false" } }), {}, false],
  ["label true, policy disabled", pod({ labels: { [inject]: "true" } }), { policy: "disabled" }, true],
  ["label true, policy unknown", pod({ labels: { [inject]: "true" } }), { policy: "maybe" }, false],
  ["never beats policy", pod({ labels: { job: "batch" } }), { neverInjectSelector: never }, false],
  ["label true beats never", pod({ labels: { job: "batch", [inject]: "true" } }), { neverInjectSelector: never }, true],
  [
    "always beats a disabled policy",
    pod({ labels: { job: "batch" } }),
    { policy: "disabled", alwaysInjectSelector: never },
    true,
  ],
  ["an empty selector selects nothing", pod({}), { neverInjectSelector: [{}] }, true],
])("stage 2: %s", (_, candidate, change, injected) => {
  expect(injectionRequired(candidate, "shop", { ...config, ...change }).inject).toBe(injected);
});

test("system namespaces are never injected; odd words get a warning and count as nothing", () => {
  expect(injectionRequired(pod({ labels: { [inject]: "true" } }), "kube-system", config).inject).toBe(false);
  const odd = injectionRequired(pod({ labels: { [inject]: "True" } }), "shop", config);
  expect(odd).toMatchObject({ inject: true, warnings: [expect.stringContaining('"True"')] });
});
