import type { Data } from "../proxy-config/view.ts";

/** One place where two messages differ, with what each side has there; absent: nothing. */
export interface Difference {
  /** `virtual_hosts[web.shop:80].routes[0].timeout` */
  readonly path: string;
  readonly istiod?: string;
  readonly envoy?: string;
  /** The messages around the place, the innermost last: whose metadata says where it comes from. */
  readonly around: readonly Data[];
}

/** How much of a value is told. */
const MOST_SIGNS = 160;

/**
 * Where two messages in proto JSON say different things. The order of keys and the form of numbers and durations make no
 * difference; the order of lists does, in which members with names are found by these.
 */
export function differences(istiod: unknown, envoy: unknown): readonly Difference[] {
  const found: Difference[] = [];
  walk(plain(istiod), plain(envoy), { path: "", around: [] }, found);
  return found;
}

/** Whether two messages say the same. */
export function isSame(istiod: unknown, envoy: unknown): boolean {
  return key(plain(istiod)) === key(plain(envoy));
}

interface Place {
  readonly path: string;
  readonly around: readonly Data[];
}

function walk(istiod: unknown, envoy: unknown, place: Place, found: Difference[]): void {
  if (key(istiod) === key(envoy)) return;
  if (Array.isArray(istiod) && Array.isArray(envoy)) walkLists(istiod, envoy, place, found);
  else if (isRecord(istiod) && isRecord(envoy)) {
    const around = [...place.around, istiod, envoy];
    for (const name of new Set([...Object.keys(istiod), ...Object.keys(envoy)])) {
      const path = place.path === "" ? name : `${place.path}.${name}`;
      walk(istiod[name], envoy[name], { path, around }, found);
    }
  } else
    found.push({
      ...place,
      ...side("istiod", istiod),
      ...side("envoy", envoy),
      around: aroundOf(place, istiod, envoy),
    });
}

/** What is there on one side only says itself where it comes from. */
function aroundOf({ around }: Place, istiod: unknown, envoy: unknown): readonly Data[] {
  return [...around, ...[istiod, envoy].filter(isRecord)];
}

function side(name: "istiod" | "envoy", value: unknown): Partial<Record<"istiod" | "envoy", string>> {
  if (value === undefined) return {};
  const text = JSON.stringify(value);
  return { [name]: text.length > MOST_SIGNS ? `${text.slice(0, MOST_SIGNS)}…` : text };
}

function walkLists(istiod: readonly unknown[], envoy: readonly unknown[], place: Place, found: Difference[]): void {
  const names = [istiod.map(nameOf), envoy.map(nameOf)] as const;
  const step = (at: string): Place => ({ path: `${place.path}[${at}]`, around: place.around });
  if (!names.every(isTelling)) {
    const { start, rest } = apart(istiod, envoy);
    for (let at = start; at < Math.max(istiod.length, envoy.length) - rest; at += 1)
      // what follows a member that came or went is the same as before, at another place
      walk(inMiddle(istiod, at, rest), inMiddle(envoy, at, rest), step(String(at)), found);
    return;
  }
  const [ours, theirs] = names;
  for (const name of new Set([...ours, ...theirs]))
    walk(istiod[ours.indexOf(name)], envoy[theirs.indexOf(name)], step(String(name)), found);
  const common = ours.filter((name) => theirs.includes(name));
  const order = theirs.filter((name) => ours.includes(name));
  if (key(common) !== key(order))
    found.push({ ...place, path: `${place.path} (order)`, ...side("istiod", common), ...side("envoy", order) });
}

function inMiddle(list: readonly unknown[], at: number, rest: number): unknown {
  return at < list.length - rest ? list[at] : undefined;
}

/** How many members are the same at the beginning and at the end. */
function apart(one: readonly unknown[], other: readonly unknown[]): { readonly start: number; readonly rest: number } {
  const shorter = Math.min(one.length, other.length);
  let start = 0;
  while (start < shorter && key(one[start]) === key(other[start])) start += 1;
  let rest = 0;
  while (rest < shorter - start && key(one.at(-1 - rest)) === key(other.at(-1 - rest))) rest += 1;
  return { start, rest };
}

function nameOf(member: unknown): string | undefined {
  const name = isRecord(member) ? member["name"] : undefined;
  return typeof name === "string" && name !== "" ? name : undefined;
}

/** Whether every member has a name of its own. */
function isTelling(names: readonly (string | undefined)[]): boolean {
  return names.every((name) => name !== undefined) && new Set(names).size === names.length;
}

const KEYS = new WeakMap<object, string>();

/** Equal for what says the same; made once for each part. */
function key(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "";
  const known = KEYS.get(value);
  if (known !== undefined) return known;
  const text = JSON.stringify(value);
  KEYS.set(value, text);
  return text;
}

/** The same content in one form: keys in order, numbers and durations as plain texts. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (isRecord(value)) {
    const entries = Object.entries(value).filter(([, member]) => member !== undefined);
    return Object.fromEntries(
      entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, plain(member)]),
    );
  }
  if (typeof value === "number") return String(value);
  if (typeof value === "string" && /^-?\d+(?:\.\d+)?s$/.test(value)) return `${Number(value.slice(0, -1))}s`;
  return value;
}

function isRecord(value: unknown): value is Data {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
