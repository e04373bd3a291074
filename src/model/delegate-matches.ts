import { compact } from "../base/compact.ts";
import type { KindTypes } from "../resources/kinds.ts";

/** A rule for HTTP of a VirtualService. */
export type HttpRule = NonNullable<NonNullable<KindTypes["VirtualService"]["spec"]>["http"]>[number];

type Match = NonNullable<HttpRule["match"]>[number];
type StringSpec = NonNullable<Match["uri"]>;
type Specs = Readonly<Record<string, StringSpec>>;

/**
 * The matches of a delegate's rule below the delegating rule's: each of the delegate's joined with each it narrows. Undefined
 * when one of the delegate's narrows none: the delegate may not reach for more than it was given.
 */
export function narrowMatches(roots: readonly Match[], leaves: readonly Match[]): readonly Match[] | undefined {
  if (roots.length === 0) return leaves;
  if (leaves.length === 0) return roots;
  const joined = leaves.map((leaf) => roots.filter((root) => narrows(root, leaf)).map((root) => join(root, leaf)));
  return joined.every((some) => some.length > 0) ? joined.flat() : undefined;
}

const TEXTS = ["uri", "scheme", "method", "authority"] as const;
const MAPS = ["headers", "withoutHeaders", "queryParams"] as const;

function narrows(root: Match, leaf: Match): boolean {
  return (
    TEXTS.every((field) => narrowsText(root[field], leaf[field])) &&
    narrowsMaps(root, leaf) &&
    narrowsCaller(root, leaf)
  );
}

function narrowsMaps(root: Match, leaf: Match): boolean {
  return MAPS.every((field) =>
    Object.entries(leaf[field] ?? {}).every(([key, spec]) => narrowsText(root[field]?.[key], spec)),
  );
}

/** Conditions that are decided at compile time, and how paths are compared. */
function narrowsCaller(root: Match, leaf: Match): boolean {
  const namespace = root.sourceNamespace ?? "";
  return (
    (root.ignoreUriCase ?? false) === (leaf.ignoreUriCase ?? false) &&
    (root.port ?? leaf.port) === (leaf.port ?? root.port) &&
    (namespace === "" || leaf.sourceNamespace === namespace) &&
    narrowsLists(root, leaf)
  );
}

function narrowsLists(root: Match, { sourceLabels = {}, gateways = [] }: Match): boolean {
  const outer = root.gateways ?? [];
  return (
    Object.entries(sourceLabels).every(([key, value]) => (root.sourceLabels?.[key] ?? value) === value) &&
    (outer.length === 0 || gateways.every((gateway) => outer.includes(gateway)))
  );
}

/** Whether every text that `leaf` takes is one that `root` takes; regular expressions are not compared. */
function narrowsText(root: StringSpec | undefined, leaf: StringSpec | undefined): boolean {
  if (root === undefined || leaf === undefined) return true;
  if (root.regex !== undefined || leaf.regex !== undefined) return false;
  const text = leaf.exact ?? leaf.prefix ?? "";
  if (root.exact !== undefined) return leaf.exact === root.exact;
  return text.startsWith(root.prefix ?? "");
}

function join(root: Match, leaf: Match): Match {
  const name = [root.name, leaf.name].filter((part) => part !== undefined && part !== "").join("-");
  const both = (field: (typeof MAPS)[number]): Specs | undefined =>
    root[field] === undefined && leaf[field] === undefined ? undefined : { ...root[field], ...leaf[field] };
  const labels =
    root.sourceLabels === undefined && leaf.sourceLabels === undefined
      ? undefined
      : { ...root.sourceLabels, ...leaf.sourceLabels };
  return compact({
    ...root,
    ...leaf,
    name: name === "" ? undefined : name,
    headers: both("headers"),
    withoutHeaders: both("withoutHeaders"),
    queryParams: both("queryParams"),
    sourceLabels: labels,
    gateways: (leaf.gateways ?? []).length > 0 ? leaf.gateways : root.gateways,
  }) as Match;
}

/** One http rule of a VirtualService. */
