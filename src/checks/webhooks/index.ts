import { webhooksCalled } from "../../model/injection-webhooks.ts";
import { matchesSelector } from "../../model/label-selector.ts";
import { type Check, category, failed, ok, skipped, verdict } from "../check.ts";
import { isMine, names } from "../names.ts";
import { blockingHooks, configurationNames, covers, injectors, meshHooks } from "./lists.ts";
import { reachabilityChecks } from "./reachability.ts";
import { trustChecks } from "./trust.ts";

/** Seconds after which a pod's creation is slow enough to be given up by those who wait for it. */
const SLOW_SECONDS = 15;
const MESH_GROUPS = ["networking.istio.io", "security.istio.io", "telemetry.istio.io", "extensions.istio.io"];

const own = category("webhooks", [
  {
    name: "injection-webhooks",
    affirmation: "nothing else injects sidecars",
    hint: "remove the other injector's MutatingWebhookConfiguration: pods would get two proxies",
    about: "Two injectors of the same names both answer for a pod: it gets two proxies, or fails.",
    severity: "error",
    phase: "before",
    run: async (facts) => {
      const hooks = await facts.list("MutatingWebhookConfiguration");
      const others = hooks.filter(
        (hook) => !isMine(hook) && (hook.webhooks ?? []).some(({ name }) => name.endsWith("sidecar-injector.istio.io")),
      );
      return others.length === 0 ? ok() : failed(`${names(others)} injects too`);
    },
  },
  {
    name: "injection-overlap",
    affirmation: "no pod is injected twice",
    hint: "give each revision its own selectors; look for a left-over MutatingWebhookConfiguration",
    about: "When the selectors of two webhooks both take a pod, the second injects into what the first made.",
    severity: "error",
    run: async (facts) => {
      const hooks = await injectors(facts);
      const namespaces = await facts.list("Namespace");
      const pods = [{}, { "sidecar.istio.io/inject": "true" }];
      const twice = namespaces.flatMap(({ metadata: { name, labels } }) =>
        pods.flatMap((pod) => {
          const called = webhooksCalled(hooks, { name, labels }, pod);
          const by = [
            ...new Set(called.map(({ object, webhook }) => `${object.metadata.name} (${webhook.name ?? ""})`)),
          ];
          return by.length > 1 ? [`namespace ${name}: ${by.join(" and ")}`] : [];
        }),
      );
      return verdict([...new Set(twice)]);
    },
  },
  {
    name: "webhook-timeout",
    affirmation: `no webhook may hold a pod for more than ${SLOW_SECONDS} s`,
    hint: "lower timeoutSeconds of the webhook",
    about:
      "Webhooks of a pod are called one after the other. One that may take long delays every pod while it is down.",
    severity: "warning",
    run: async (facts) => {
      const slow = (await blockingHooks(facts)).filter(
        ({ webhook }) => covers(webhook, "", "pods") && (webhook.timeoutSeconds ?? 10) > SLOW_SECONDS,
      );
      return verdict(slow.map(({ webhook }) => `${webhook.name} may take ${webhook.timeoutSeconds ?? 0} s`));
    },
  },
  {
    name: "webhook-kube-system",
    affirmation: "no webhook of the mesh is asked about the pods of Kubernetes",
    hint: "exclude kube-system in the webhook's namespaceSelector",
    about:
      "A webhook that must answer for kube-system and runs in the cluster itself can stop the cluster from coming up again.",
    severity: "error",
    run: async (facts) => {
      const namespaces = await facts.list("Namespace");
      const { labels = {} } = namespaces.find(({ metadata }) => metadata.name === "kube-system")?.metadata ?? {};
      const all = { "kubernetes.io/metadata.name": "kube-system", ...labels };
      const asked = (await meshHooks(facts)).filter(
        ({ webhook }) =>
          webhook.failurePolicy !== "Ignore" &&
          covers(webhook, "", "pods") &&
          matchesSelector(webhook.namespaceSelector ?? {}, all) &&
          matchesSelector(webhook.objectSelector ?? {}, {}),
      );
      return asked.length === 0 ? ok() : failed(`asked about them: ${configurationNames(asked)}`);
    },
  },
  {
    name: "injector-present",
    affirmation: "an injection webhook is there",
    hint: "run meshctl install again: it applies what is missing",
    about: "Without it pods start without a proxy, outside of the mesh.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) => {
      const found = await injectors(facts);
      return found.length > 0 ? ok() : failed("there is no MutatingWebhookConfiguration that injects");
    },
  },
  {
    name: "injector-failure-policy",
    affirmation: "pods do not start without their proxy when the injector is away",
    hint: "set failurePolicy: Fail on the injection webhook",
    about:
      "With Ignore, pods that are created while the control plane restarts run outside of the mesh, without mTLS and without policies.",
    severity: "warning",
    phase: "after",
    needs: ["injector-present"],
    run: async (facts) => {
      const loose = (await meshHooks(facts)).filter(
        ({ webhook }) => covers(webhook, "", "pods") && webhook.failurePolicy === "Ignore",
      );
      return loose.length === 0 ? ok() : failed(`Ignore: ${configurationNames(loose)}`);
    },
  },
  {
    name: "injector-operations",
    affirmation: "the injection webhook is asked when pods are created",
    hint: "run meshctl install again: it restores the rules",
    about: "A webhook without a rule for CREATE of pods is never called.",
    severity: "error",
    phase: "after",
    needs: ["injector-present"],
    run: async (facts) => {
      const blind = (await injectors(facts)).filter(({ object, index }) => {
        const { rules = [], ...webhook } = (object as { webhooks?: readonly Parameters<typeof covers>[0][] })
          .webhooks?.[index] ?? { name: "" };
        return !covers(
          { ...webhook, rules: rules.filter(({ operations = [] }) => operations.some(isCreate)) },
          "",
          "pods",
        );
      });
      return verdict(blind.map(({ webhook }) => `${webhook.name ?? ""} is not asked`));
    },
  },
  {
    name: "validator-present",
    affirmation: "a validation webhook is there",
    hint: "run meshctl install again: it applies what is missing",
    about: "Without it the API server takes configuration that no proxy can run.",
    severity: "warning",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) => {
      const hooks = (await meshHooks(facts)).filter(({ webhook }) =>
        covers(webhook, "networking.istio.io", "gateways"),
      );
      return hooks.length > 0 ? ok() : failed("there is no ValidatingWebhookConfiguration of the mesh");
    },
  },
  {
    name: "validator-groups",
    affirmation: "the validation webhook is asked about all of the mesh's configuration",
    hint: "run meshctl install again: it restores the rules",
    about: "Objects of a group that is left out are stored unseen.",
    severity: "warning",
    phase: "after",
    needs: ["validator-present"],
    run: async (facts) => {
      const hooks = await meshHooks(facts);
      return verdict(
        MESH_GROUPS.filter((group) => !hooks.some(({ webhook }) => covers(webhook, group, "*"))).map(
          (group) => `nobody is asked about ${group}`,
        ),
      );
    },
  },
  {
    name: "validator-failure-policy",
    affirmation: "wrong configuration is refused",
    hint: "look at the log of the control plane: it sets Fail once it has seen its own webhook refuse something",
    about:
      "The validation webhook is installed with Ignore; the control plane sets Fail when it has proved that it is reached. Still Ignore means that it never was.",
    severity: "warning",
    phase: "after",
    needs: ["validator-present", "control-plane-ready"],
    run: async (facts) => {
      const loose = (await meshHooks(facts)).filter(
        ({ webhook }) => covers(webhook, "networking.istio.io", "gateways") && webhook.failurePolicy === "Ignore",
      );
      return loose.length === 0 ? ok() : failed(`Ignore: ${configurationNames(loose)}`);
    },
  },
  {
    name: "other-meshes",
    affirmation: "no other mesh injects",
    hint: "keep the namespaces of the meshes apart, or remove the other one",
    about: "Another mesh's injector in the same namespaces gives pods two proxies that redirect to each other.",
    severity: "warning",
    run: async (facts) => {
      const hooks = await facts.list("MutatingWebhookConfiguration");
      const others = hooks.filter(({ webhooks = [] }) =>
        webhooks.some(({ name }) => /linkerd|kuma|consul|openservicemesh/.test(name)),
      );
      return others.length === 0 ? ok() : failed(names(others));
    },
  },
  {
    name: "tag-targets",
    affirmation: "every revision tag points at a revision that is installed",
    hint: "point the tag at another revision, or remove it: meshctl tag set, meshctl tag remove",
    about: "Pods of namespaces with the tag are sent to a control plane that is gone, and are refused.",
    severity: "error",
    run: async (facts) => {
      const tags = (await facts.list("MutatingWebhookConfiguration")).filter(
        ({ metadata }) => metadata.labels?.["istio.io/tag"] !== undefined,
      );
      if (tags.length === 0) return skipped("there are no tags");
      const services = new Set(
        (await facts.list("Service")).map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`),
      );
      return verdict(
        tags
          .filter(({ webhooks = [] }) =>
            webhooks.some(({ clientConfig }) => {
              const service = clientConfig?.service;
              return service !== undefined && !services.has(`${service.namespace}/${service.name}`);
            }),
          )
          .map(
            ({ metadata }) =>
              `tag ${metadata.labels?.["istio.io/tag"] ?? ""}: revision ${metadata.labels?.["istio.io/rev"] ?? ""} is gone`,
          ),
      );
    },
  },
]);

function isCreate(operation: string): boolean {
  return operation === "CREATE" || operation === "*";
}

/** Whether what the API server asks before it stores an object is there, answers, and is the right one. */
export const webhookChecks: readonly Check[] = [...own, ...reachabilityChecks, ...trustChecks];
