import type { ExtensionSpec } from "../../model/extensions.ts";
import type { Facts, Guess, Hypothesis } from "../types.ts";
import { envoy, logged, placeOf, refTo } from "../words.ts";

/** A WebAssembly module could not be fetched, and what stands for it lets nothing through. */
export const modules: Hypothesis = {
  name: "modules",
  codes: ["module-missing"],
  guess(facts) {
    const { symptom, proxy, model } = facts;
    const refused = symptom.details ?? symptom.terminationDetails ?? "";
    if (!refused.includes("rbac_access_denied_matched_policy[none]") || proxy.refusing.length === 0) return [];
    return model.extensions.of(proxy).flatMap(({ object, spec }): readonly Guess[] => {
      const name = `${object.kind.toLowerCase()}/${object.metadata.namespace ?? ""}.${object.metadata.name}`;
      const held = proxy.refusing.find((one) => one.endsWith(`/${name}`));
      if (held === undefined || spec.wasm === undefined || !isFor(spec, facts)) return [];
      return [missing(facts, { object, held, url: spec.wasm.url })];
    });
  },
};

/** Whether it stands where the request went: at each port that it names, or everywhere. */
function isFor({ match = [] }: ExtensionSpec, { cluster, symptom }: Facts): boolean {
  const asked = cluster?.direction === "inbound" ? cluster.port : placeOf(symptom.localAddress)?.port;
  const ports = match.map((one) => (one.ports ?? []).map(({ number }) => number));
  return (
    match.length === 0 ||
    ports.some((numbers) => numbers.length === 0 || (asked !== undefined && numbers.includes(asked)))
  );
}

interface Held {
  readonly object: Parameters<typeof refTo>[0];
  /** Name of Envoy's filter. */
  readonly held: string;
  readonly url: string;
}

function missing(facts: Facts, { object, held, url }: Held): Guess {
  const { proxy } = facts;
  const field = object.kind === "WasmPlugin" ? "spec.url" : "spec.wasm.url";
  return {
    code: "module-missing",
    object: refTo(object),
    field,
    says: `its module ${url} could not be fetched, and without it nothing passes (failStrategy FAIL_CLOSE)`,
    evidence: [logged(facts), envoy(proxy, `in place of ${held} stands a rule that refuses everything`)],
    fix: `Look what the agent says: kubectl logs -n ${proxy.pod.namespace} ${proxy.pod.name} -c istio-proxy; correct url, sha256 or imagePullSecret.`,
    // rules of policies that miss the request would refuse it in the same words
    weight: facts.policies.some(({ action, matches }) => action === "ALLOW" && !matches) ? 91 : 96,
  };
}
