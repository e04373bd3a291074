import type { KindTypes } from "../resources/kinds.ts";
import type { ModelContext } from "./context.ts";
import { byAge } from "./order.ts";
import { policyHolds, type PolicyWorkload } from "./policy-selection.ts";

export type RequestAuthentication = KindTypes["RequestAuthentication"];

/** Which keys are asked for: of an issuer, at an address; without one, where the issuer's OpenID configuration says. */
export interface KeySetRef {
  readonly issuer: string;
  /** "" for none. */
  readonly uri: string;
  /** How long fetching may take. */
  readonly timeoutMs: number;
}

/** The keys of an issuer as a JSON Web Key Set; undefined: not known. Tracked, when read in a derivation. */
export type KeySets = (ref: KeySetRef) => string | undefined;

/** Questions about RequestAuthentication. */
export interface RequestAuthentications {
  /** Those that hold for the workload: the root namespace's first, then its own namespace's, each oldest first. Their rules add up. */
  effective(workload: PolicyWorkload): readonly RequestAuthentication[];
}

export function createRequestAuthentications({
  world,
  derivations,
  rootNamespace,
}: ModelContext): RequestAuthentications {
  const sorted = derivations.keyed("RequestAuthentications", (namespace: string) =>
    world.list("RequestAuthentication", namespace).toSorted(byAge),
  );
  return {
    effective: (workload) =>
      [...new Set([rootNamespace, workload.namespace])].flatMap((namespace) =>
        sorted(namespace).filter(({ spec }) => policyHolds(spec, namespace, workload)),
      ),
  };
}
