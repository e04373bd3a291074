import type { Provenance } from "../ir/provenance.ts";
import type { FieldPath } from "../ir/refs.ts";
import type { KindTypes } from "../resources/kinds.ts";
import { refOf } from "../resources/object.ts";
import { type HttpRule, narrowMatches } from "./delegate-matches.ts";
import { resolveHost } from "./host.ts";

type VirtualService = KindTypes["VirtualService"];

/** An http rule as it holds, delegates followed. */
export interface ResolvedRule {
  readonly rule: HttpRule;
  /** The object that wrote it: its namespace completes host names. */
  readonly object: VirtualService;
  readonly path: FieldPath;
  /** Where a field of the rule stands: a delegate's rule takes what it leaves out from the rule that delegates. */
  readonly origin: (field: keyof HttpRule) => { readonly object: VirtualService; readonly path: FieldPath };
}

/** What a delegate's rule takes from the delegating one where it says nothing itself; as Istio has it. */
const INHERITED = [
  "rewrite",
  "directResponse",
  "timeout",
  "retries",
  "fault",
  "mirror",
  "mirrorPercent",
  "mirrorPercentage",
  "corsPolicy",
  "mirrors",
  "headers",
] as const satisfies readonly (keyof HttpRule)[];

/** How delegates are found: undefined for one that is not there or that the delegating namespace does not see. */
export interface DelegateSource {
  readonly domain: string;
  readonly find: (namespace: string, name: string, from: string) => VirtualService | undefined;
}

/**
 * The http rules of an object in their order, each rule that delegates replaced by those of its delegate. A delegate has no
 * hosts and gateways and does not delegate again; one that does is passed over, and so is a rule whose matches do not narrow
 * the delegating rule's.
 */
export function resolveRules(source: DelegateSource, object: VirtualService): readonly ResolvedRule[] {
  return (object.spec?.http ?? []).flatMap((rule, index): readonly ResolvedRule[] => {
    const path: FieldPath = ["spec", "http", index];
    if (rule.delegate === undefined || (rule.route ?? []).length > 0)
      return [{ rule, object, path, origin: (field) => ({ object, path: [...path, field] }) }];
    const own = object.metadata.namespace ?? "";
    const { name = "", namespace = own } = rule.delegate;
    const delegate = source.find(namespace === "" ? own : namespace, name, own);
    if (delegate === undefined || !mayBeDelegate(delegate)) return [];
    return (delegate.spec?.http ?? []).flatMap((inner, at) => {
      const root = { rule, object, path };
      return merged(source.domain, root, { rule: inner, object: delegate, path: ["spec", "http", at] });
    });
  });
}

function mayBeDelegate({ spec }: VirtualService): boolean {
  return (spec?.hosts ?? []).length === 0 && (spec?.gateways ?? []).length === 0;
}

type Written = Pick<ResolvedRule, "rule" | "object" | "path">;

function merged(domain: string, root: Written, leaf: Written): readonly ResolvedRule[] {
  if (leaf.rule.delegate !== undefined) return [];
  const match = narrowMatches(root.rule.match ?? [], leaf.rule.match ?? []);
  if (match === undefined) return [];
  const taken = INHERITED.filter((field) => leaf.rule[field] === undefined && root.rule[field] !== undefined);
  const full = withFullHosts(root, domain);
  const name = [root.rule.name, leaf.rule.name].filter((part) => part !== undefined && part !== "").join("-");
  const rule: HttpRule = {
    ...leaf.rule,
    ...(Object.fromEntries(taken.map((field) => [field, full[field]])) as Partial<HttpRule>),
    ...(match.length === 0 ? {} : { match }),
    ...(name === "" ? {} : { name }),
  };
  const fromRoot = new Set<keyof HttpRule>(taken);
  if ((leaf.rule.match ?? []).length === 0) fromRoot.add("match");
  return [
    {
      rule,
      object: leaf.object,
      path: leaf.path,
      origin(field) {
        const { object, path } = fromRoot.has(field) ? root : leaf;
        return { object, path: [...path, field] };
      },
    },
  ];
}

/** Hosts of mirrors mean services of the delegating object's namespace, wherever the rule ends up. */
function withFullHosts({ rule, object }: Written, domain: string): HttpRule {
  const full = <T extends { readonly host: string }>(to: T): T => ({
    ...to,
    host: resolveHost(to.host, object.metadata.namespace ?? "", domain),
  });
  return {
    ...rule,
    ...(rule.mirror && { mirror: full(rule.mirror) }),
    ...(rule.mirrors && { mirrors: rule.mirrors.map((each) => ({ ...each, destination: full(each.destination) })) }),
  };
}

/** Provenance of a place, with what lost against its object. */
export function provenanceAt(
  { object, path }: Pick<ResolvedRule, "object" | "path">,
  lost: Provenance["lost"] = [],
): Provenance {
  return { from: refOf(object), path, lost };
}
