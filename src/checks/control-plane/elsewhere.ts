import { CONTROLLERS_ANNOTATION } from "../../model/members.ts";
import { category, ok, verdict } from "../check.ts";
import type { Facts } from "../facts.ts";
import { nameOf, revisionOf } from "../names.ts";
import { waysElsewhere } from "../pods.ts";

/** Whether a cluster without a control plane has the way to one, and that one keeps what this cluster needs. */
export const elsewhereChecks = category("control plane", [
  {
    name: "control-plane-elsewhere",
    affirmation: "a cluster without a control plane is served by one elsewhere",
    hint: "follow docs/guides/cluster-without-control-plane.md: the annotation here, and the remote secret where the control plane is",
    about:
      "The namespace names the clusters whose control planes serve this one, and Service istiod leads there. That control plane then writes its root certificate into every namespace and into the injection webhook.",
    severity: "error",
    phase: "after",
    run: async (facts) => {
      const ways = await waysElsewhere(facts);
      if (ways.length === 0) return ok("the control plane is in this cluster");
      const missing = await Promise.all([unnamed(facts), blind(facts), unkept(facts)]);
      return verdict(missing.flat(), ways.map(nameOf).join(", "));
    },
  },
]);

/** A control plane that reads its configuration here needs no other word. */
async function unnamed(facts: Facts): Promise<readonly string[]> {
  const { istioNamespace } = facts.context;
  if ((await facts.get("ConfigMap", istioNamespace, "istio")) !== undefined) return [];
  const namespace = await facts.get("Namespace", "", istioNamespace);
  const named = namespace?.metadata.annotations?.[CONTROLLERS_ANNOTATION] ?? "";
  return named === "" ? [`namespace ${istioNamespace} has no annotation ${CONTROLLERS_ANNOTATION}`] : [];
}

/** Services that lead nowhere. */
async function blind(facts: Facts): Promise<readonly string[]> {
  const slices = await facts.own("EndpointSlice");
  const led = new Set(
    slices
      .filter(({ endpoints }) => (endpoints ?? []).length > 0)
      .map(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"]),
  );
  return (await waysElsewhere(facts))
    .filter(({ metadata, spec }) => spec?.externalName === undefined && !led.has(metadata.name))
    .map((service) => `Service ${nameOf(service)} has no address: set values.global.remotePilotAddress`);
}

/** What that control plane has not written yet. */
async function unkept(facts: Facts): Promise<readonly string[]> {
  const { istioNamespace } = facts.context;
  const revisions = new Set((await waysElsewhere(facts)).map(revisionOf));
  const [roots, hooks] = await Promise.all([
    facts.get("ConfigMap", istioNamespace, "istio-ca-root-cert"),
    facts.list("MutatingWebhookConfiguration"),
  ]);
  const own = hooks.filter((hook) => isInjector(hook.metadata.name) && revisions.has(revisionOf(hook)));
  const bare = own.filter(({ webhooks = [] }) => webhooks.some(({ clientConfig }) => !clientConfig?.caBundle));
  return [
    ...(roots === undefined ? [`no root certificate is in namespace ${istioNamespace}`] : []),
    ...bare.map((hook) => `MutatingWebhookConfiguration ${nameOf(hook)} has no CA`),
  ];
}

function isInjector(name: string): boolean {
  return name.startsWith("istio-sidecar-injector");
}
