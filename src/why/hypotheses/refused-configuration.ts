import type { Facts, Guess, Hypothesis } from "../types.ts";
import { logged, refTo } from "../words.ts";
import { patchesOf, patchThatSays } from "./patches.ts";

/** The proxy did not take what it was sent: it runs what it had before, or nothing. */
export const refusedConfiguration: Hypothesis = {
  name: "refused configuration",
  codes: ["configuration-refused"],
  guess(facts) {
    const { proxy, symptom } = facts;
    return proxy.refusals.slice(0, 3).map((words): Guess => {
      const culprit = patchOf(facts, words);
      const targets =
        facts.way?.outcome.kind === "forward" ? facts.way.outcome.targets.map(({ cluster }) => cluster) : [];
      const names = [symptom.upstreamCluster, facts.way?.table, facts.cluster?.host, ...targets];
      const involved = names.some((name) => name !== undefined && name !== "" && words.includes(name));
      const port = /_(\d+)\b/.exec(words)?.[1];
      const here = port !== undefined && symptom.localAddress?.endsWith(`:${port}`) === true;
      return {
        code: "configuration-refused",
        object: culprit ?? proxy.pod,
        says: `${proxy.name} refuses a part of its configuration, and runs what it had before: ${words.slice(0, 200)}`,
        evidence: [logged(facts), { from: `Envoy of ${proxy.name}`, says: words }],
        fix:
          culprit === undefined
            ? "Look at it with meshctl proxy-status, and take back what was changed last."
            : "Correct the patch, or take it away.",
        weight: involved || here ? 97 : 35,
      };
    });
  },
};

/** The EnvoyFilter that a refusal may come from: one that names what is refused, or the only one that holds for the proxy. */
function patchOf(facts: Facts, words: string): Guess["object"] | undefined {
  const told = patchThatSays(facts, (texts) => texts.some((text) => text.length > 12 && words.includes(text)));
  const all = patchesOf(facts);
  const found = told ?? (all.length === 1 ? all[0] : undefined);
  return found === undefined ? undefined : refTo(found);
}
