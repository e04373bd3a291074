import { sourceOf, type Source, type Tagged } from "../../why/source.ts";
import type { Data } from "../proxy-config/view.ts";
import { type Difference, differences, isSame } from "./semantic.ts";
import { type Held, RESOURCE_TYPES, type ResourceType, tablesInUse } from "./types.ts";

/** One resource that is not in Envoy as the control plane would send it now. */
export interface ResourceDiff {
  readonly name: string;
  readonly state: "differs" | "missing" | "extra" | "warming";
  /** Envoy's words for why it did not take it. */
  readonly refused?: string;
  /** Where; the first of `count`. */
  readonly differences: readonly PlaceDiff[];
  readonly count: number;
  /** Objects that made it, of a resource that is there on one side only. */
  readonly from?: readonly string[];
}

/** One place in a resource. */
export interface PlaceDiff {
  readonly path: string;
  /** JSON of what the control plane would send; absent: nothing stands there. */
  readonly istiod?: string;
  readonly envoy?: string;
  /** The object and field that this place comes from. */
  readonly why?: Source;
}

/** How all resources of one type stand. */
export interface TypeDiff {
  readonly type: ResourceType;
  readonly matches: boolean;
  /** How many resources there are. */
  readonly count: number;
  readonly resources: readonly ResourceDiff[];
}

/** Places that are told of one resource. */
const MOST_PLACES = 20;
/** Objects that are named of one resource. */
const MOST_OBJECTS = 5;

/** Compares what a proxy is to run with what its Envoy says it runs: both as dumps in Envoy's shape. */
export function compareDumps(istiod: unknown, envoy: unknown): readonly TypeDiff[] {
  return RESOURCE_TYPES.map((type) => {
    const ours = new Map(type.held(istiod).map((each) => [each.name, each]));
    const theirs = new Map(type.held(envoy).map((each) => [each.name, each]));
    if (type.key === "route") withoutDraining(ours, theirs, envoy);
    // of secrets Envoy has others too, from its agent
    const names = type.key === "secret" ? new Set(ours.keys()) : new Set([...ours.keys(), ...theirs.keys()]);
    const resources = [...names].sort().flatMap((name) => compare(name, ours.get(name), theirs.get(name)));
    return { type, matches: resources.length === 0, count: ours.size, resources };
  });
}

/** Envoy keeps a table of routes while the listener or the chain drains that had it: no new connection meets it, so it is none of what it runs. */
function withoutDraining(ours: ReadonlyMap<string, Held>, theirs: Map<string, Held>, envoy: unknown): void {
  const used = tablesInUse(envoy);
  if (used === undefined) return;
  for (const name of theirs.keys()) if (!ours.has(name) && !used.has(name)) theirs.delete(name);
}

function compare(name: string, ours: Held | undefined, theirs: Held | undefined): readonly ResourceDiff[] {
  const refused = theirs?.refused === undefined ? {} : { refused: theirs.refused };
  const none = { name, ...refused, differences: [], count: 0 };
  if (theirs === undefined) return [{ ...none, state: "missing", ...objectsOf(ours?.content) }];
  if (ours === undefined) return [{ ...none, state: "extra", ...objectsOf(theirs.content ?? theirs.warming) }];
  if (ours.content === undefined) return ours.version === theirs.version ? [] : [{ ...none, state: "differs" }];
  return compareContents(none, ours.content, theirs);
}

function compareContents(none: Omit<ResourceDiff, "state">, ours: Data, theirs: Held): readonly ResourceDiff[] {
  const isComing = theirs.warming !== undefined && isSame(ours, theirs.warming);
  const state = isComing ? "warming" : "differs";
  // nothing is in use yet
  if (theirs.content === undefined) return [{ ...none, state, ...objectsOf(ours) }];
  if (isSame(ours, theirs.content)) return [];
  const found = differences(ours, theirs.content);
  const shown = found.slice(0, MOST_PLACES).map((each) => placeOf(each, none.name));
  return [{ ...none, state, differences: shown, count: found.length }];
}

function placeOf({ path, istiod, envoy, around }: Difference, name: string): PlaceDiff {
  const why = around.map(sourceIn).findLast((source) => source !== undefined) ?? serviceOf(name);
  return {
    path,
    ...(istiod === undefined ? {} : { istiod }),
    ...(envoy === undefined ? {} : { envoy }),
    ...(why === undefined ? {} : { why }),
  };
}

function sourceIn(message: Data): Source | undefined {
  return sourceOf(message as Tagged, () => undefined);
}

/** Endpoints come from the service that their cluster is of. */
function serviceOf(cluster: string): Source | undefined {
  const host = cluster.split("|")[3];
  return host === undefined ? undefined : { object: `service ${host}` };
}

function objectsOf(content: Data | undefined): Pick<ResourceDiff, "from"> {
  const found = new Set<string>();
  collect(content, found);
  return found.size === 0 ? {} : { from: [...found].slice(0, MOST_OBJECTS) };
}

/** Every object that any part of a message names as its source. */
function collect(value: unknown, found: Set<string>): void {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) {
    const source = sourceIn(value as Data);
    if (source !== undefined)
      found.add(source.field === undefined ? source.object : `${source.object} ${source.field}`);
  }
  for (const member of Object.values(value)) collect(member, found);
}
