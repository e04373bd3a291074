import { byAge } from "../../model/order.ts";
import { namedSelector } from "../../model/selectors.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { refOf, refText } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { podOwner } from "../pod-owner.ts";

/** Of several PeerAuthentications for one namespace, or for one workload, the oldest counts and the others do nothing. */
export const peerauthenticationOverlap = defineAnalyzer({
  name: "peerauthentication-overlap",
  summary: "Finds PeerAuthentications that an older one replaces.",
  reads: ["PeerAuthentication", "Pod"],
  codes: ["MSH0140"],
  analyze: (input) => {
    const wide = new Map<string, Policy>();
    const ofPod = new Map<string, Policy>();
    const told = new Set<Policy>();
    for (const policy of input.world.list("PeerAuthentication").toSorted(byAge)) {
      const { namespace = "" } = policy.metadata;
      const selector = namedSelector(policy.spec?.selector?.matchLabels);
      if (selector === undefined) {
        const winner = wide.get(namespace);
        if (winner === undefined) wide.set(namespace, policy);
        else reportLoser(input, policy, winner, wholeText(input, namespace));
        continue;
      }
      for (const pod of input.model.workloads.selected(namespace, selector)) {
        const key = `${namespace}/${pod.metadata.name}`;
        const winner = ofPod.get(key);
        if (winner === undefined) ofPod.set(key, policy);
        else if (winner !== policy && !told.has(policy)) {
          told.add(policy);
          reportLoser(input, policy, winner, podOwner(pod).title);
        }
      }
    }
  },
});

type Policy = KindTypes["PeerAuthentication"];
type Input = AnalyzerInput<"PeerAuthentication" | "Pod", "MSH0140">;

function wholeText({ model }: Input, namespace: string): string {
  return namespace === model.rootNamespace ? "the mesh" : `namespace ${namespace}`;
}

function reportLoser({ report }: Input, policy: Policy, winner: Policy, what: string): void {
  const path = policy.spec?.selector === undefined ? ["metadata", "name"] : ["spec", "selector"];
  report(
    policy,
    path,
    "MSH0140",
    { winner: refText(refOf(winner)), for: what },
    {
      object: winner,
      path: ["spec"],
      words: "the older policy",
    },
  );
}
