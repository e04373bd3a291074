import type { KubeObject } from "../../../src/resources/object.ts";
import type { AuthorizationWalk } from "../../../src/simulate/authorization.ts";

/** How often each kind of decision was taken, and by rules with which kinds of conditions. */
export interface AuthorizationCoverage {
  count(policies: readonly KubeObject[], walk: AuthorizationWalk): void;
  readonly counts: ReadonlyMap<string, number>;
  text(): string;
}

export function authorizationCoverage(): AuthorizationCoverage {
  const counts = new Map<string, number>();
  const add = (kind: string): void => void counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return {
    counts,
    count(policies, { decision, steps }) {
      add(`decision ${decision}`);
      for (const { action, policy, effect, dryRun, why } of steps) {
        add(`${action} ${effect}${dryRun ? " dry run" : ""}${why === undefined ? "" : ` ${why}`}`);
        const [, name, index] = /policy\[(.*)\]-rule\[(\d+)\]$/.exec(policy ?? "") ?? [];
        const { spec } = policies.find(({ metadata }) => metadata.name === name) ?? {};
        const { rules = [] } = (spec ?? {}) as { readonly rules?: readonly unknown[] };
        if (index !== undefined) for (const field of fieldsOf(rules[Number(index)])) add(`matched with ${field}`);
      }
    },
    text: () =>
      `${[...counts]
        .map(([kind, times]) => `${kind} ${times}`)
        .toSorted()
        .join("; ")}\n`,
  };
}

interface Rule {
  readonly from?: readonly { readonly source: object }[];
  readonly to?: readonly { readonly operation: object }[];
  readonly when?: readonly { readonly key: string }[];
}

function fieldsOf(rule: unknown): ReadonlySet<string> {
  const { from = [], to = [], when = [] } = (rule ?? {}) as Rule;
  return new Set([
    ...from.flatMap(({ source }) => Object.keys(source)),
    ...to.flatMap(({ operation }) => Object.keys(operation)),
    ...when.map(({ key }) => key),
  ]);
}
