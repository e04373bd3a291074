import type { ObjectRef } from "../diagnostics/finding.ts";
import { refOf } from "../resources/object.ts";
import type { ModelContext } from "./context.ts";
import type { ApiRef } from "./gateway-api-types.ts";

/** Whoever refers: group, kind and namespace, as a ReferenceGrant names them. */
export type Referrer = Pick<ApiRef, "group" | "kind" | "namespace">;

/** Questions about ReferenceGrants. */
export interface ReferenceGrants {
  /** Whether `from` may refer to an object: in its own namespace always, elsewhere by a grant there. Gives that grant. */
  allows(from: Referrer, to: ApiRef): boolean | ObjectRef;
}

export function createReferenceGrants({ world, derivations }: ModelContext): ReferenceGrants {
  /** From whom to what -> grant; `*` for every name. */
  const ofNamespace = derivations.keyed("reference grants", (namespace: string): ReadonlyMap<string, ObjectRef> => {
    const granted = new Map<string, ObjectRef>();
    for (const object of world.list("ReferenceGrant", namespace))
      for (const from of object.spec?.from ?? [])
        for (const to of object.spec?.to ?? []) {
          const key = keyOf(from, { ...to, name: to.name ?? "*" });
          if (!granted.has(key)) granted.set(key, refOf(object));
        }
    return granted;
  });
  return {
    allows: (from, to) => {
      if (from.namespace === to.namespace) return true;
      const grants = ofNamespace(to.namespace);
      return grants.get(keyOf(from, to)) ?? grants.get(keyOf(from, { ...to, name: "*" })) ?? false;
    },
  };
}

function keyOf(from: Referrer, to: Pick<ApiRef, "group" | "kind" | "name">): string {
  return `${from.group}/${from.kind}/${from.namespace} ${to.group}/${to.kind}/${to.name}`;
}
