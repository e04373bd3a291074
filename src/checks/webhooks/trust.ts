import { category, failed, ok, skipped, verdict } from "../check.ts";
import { decoded, pemBlocks, readPem } from "../pem.ts";
import { currentRoots } from "../roots.ts";
import { allHooks, configurationNames, meshHooks } from "./lists.ts";

/** Whether the API server can know the webhooks it calls. */
export const trustChecks = category("webhooks", [
  {
    name: "webhook-ca-bundles",
    affirmation: "CA bundles of webhooks can be read",
    hint: "have the webhook's maker write its CA bundle again; for the mesh's own, restart the control plane",
    about: "The API server calls no webhook whose CA bundle it cannot read.",
    severity: "error",
    run: async (facts) => {
      const bad = (await allHooks(facts)).filter(({ webhook }) => {
        const bundle = webhook.clientConfig?.caBundle;
        return bundle !== undefined && bundle !== "" && readPem(decoded(bundle)) === undefined;
      });
      return bad.length === 0 ? ok() : failed(`not readable: ${configurationNames(bad)}`);
    },
  },
  {
    name: "webhook-ca-expiry",
    affirmation: "CA bundles of webhooks have not expired",
    hint: "have the webhook's maker renew its CA; cert-manager and others do it by themselves",
    about: "Once a bundle has expired every call fails, and with it every create that the webhook is asked about.",
    severity: "error",
    run: async (facts) => {
      const { now } = facts.context;
      const dead = (await allHooks(facts)).filter(({ webhook }) => {
        const certificates = readPem(decoded(webhook.clientConfig?.caBundle ?? "")) ?? [];
        return certificates.length > 0 && certificates.every(({ notAfter }) => notAfter <= now);
      });
      return dead.length === 0 ? ok() : failed(`expired: ${configurationNames(dead)}`);
    },
  },
  {
    name: "webhook-ca-present",
    affirmation: "webhooks of the mesh have a CA bundle",
    hint: "look at the log of the control plane: it writes the bundle when it starts leading",
    about: "The control plane writes its root into its webhooks. Without it the API server does not trust the answer.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-ready"],
    run: async (facts) => {
      const without = (await meshHooks(facts)).filter(({ webhook }) => (webhook.clientConfig?.caBundle ?? "") === "");
      return without.length === 0 ? ok() : failed(`no bundle: ${configurationNames(without)}`);
    },
  },
  {
    name: "webhook-ca-match",
    affirmation: "webhooks of the mesh trust the mesh's root",
    hint: "restart the control plane: kubectl rollout restart deployment/istiod -n istio-system",
    about: "After a change of the root the old bundle refuses the control plane's certificate: pods cannot be created.",
    severity: "error",
    phase: "after",
    needs: ["webhook-ca-present"],
    run: async (facts) => {
      const roots = await currentRoots(facts);
      if (roots.length === 0) return skipped("the mesh has no root that can be read");
      const strangers = (await meshHooks(facts)).filter(({ webhook }) => {
        const bundle = pemBlocks(decoded(webhook.clientConfig?.caBundle ?? ""));
        return bundle.length > 0 && !roots.some((root) => bundle.includes(root));
      });
      return verdict(strangers.length === 0 ? [] : [`another root: ${configurationNames(strangers)}`]);
    },
  },
]);
