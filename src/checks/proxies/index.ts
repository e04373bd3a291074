import { category, type Outcome, ok, skipped, verdict } from "../check.ts";
import type { Facts, ProxyFacts } from "../facts.ts";

/** Whether proxies have the configuration that they are to have, as the control plane sees it: proxy-status as checks. */
export const proxyChecks = category("proxies", [
  {
    name: "proxies-connected",
    affirmation: "every proxy is connected to a control plane",
    hint: "look at the log of the proxy: kubectl logs POD -c istio-proxy",
    about: "A proxy that is not connected keeps its last configuration, and a new one has none.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-ready"],
    run: (facts) => without(facts, "NOT CONNECTED"),
  },
  {
    name: "proxies-accept",
    affirmation: "no proxy refuses its configuration",
    hint: "look at what it refused: meshctl proxy-status POD; an EnvoyFilter is the usual cause",
    about: "A proxy that refuses something goes on with what it had before: changes do not reach it.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-ready"],
    run: (facts) => without(facts, "NACK"),
  },
  {
    name: "proxies-synced",
    affirmation: "every proxy has acknowledged what was sent",
    hint: "wait and ask again with --wait; look whether the proxy is short of CPU",
    about: "A proxy that is behind answers by old rules for as long.",
    severity: "warning",
    phase: "after",
    needs: ["control-plane-ready"],
    run: (facts) => without(facts, "STALE"),
  },
  {
    name: "proxies-known",
    affirmation: "every proxy that is connected belongs to a pod",
    hint: "look where it runs: meshctl proxy-status; for machines outside of the cluster create a WorkloadEntry",
    about:
      "A connection of a pod that is gone is closed after a while. One that stays is of something that uses a pod's identity.",
    severity: "warning",
    phase: "after",
    needs: ["control-plane-ready"],
    run: async (facts) => {
      const proxies = await facts.probe("proxies");
      if (proxies === undefined) return skipped(UNTOLD);
      const pods = new Set(
        (await facts.list("Pod")).map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`),
      );
      return verdict(proxies.map(nameOf).filter((name) => !pods.has(name)));
    },
  },
]);

const UNTOLD = "nobody can ask the control plane here";

async function without(facts: Facts, status: string): Promise<Outcome> {
  const proxies = await facts.probe("proxies");
  if (proxies === undefined) return skipped(UNTOLD);
  const bad = proxies.filter((proxy) => proxy.status === status);
  if (bad.length === 0) return ok(`${proxies.length} proxies`);
  return verdict(bad.map((proxy) => [`proxy ${nameOf(proxy)}`, ...proxy.refusals.slice(0, 1)].join(": ")));
}

function nameOf({ namespace, name }: ProxyFacts): string {
  return `${namespace}/${name}`;
}
