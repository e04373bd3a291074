/** One way to look at what a proxy holds: pure functions over what Envoy's admin port answers. */
export interface View {
  /** Path at the admin port. */
  readonly path: string;
  readonly columns: readonly string[];
  /** What a user means by one of them, out of an answer: clusters, listeners, tables of routes. */
  readonly items: (answer: unknown) => readonly Data[];
  /** The rows of the table, sorted; `now` judges what can expire. */
  readonly rows: (items: readonly Data[], now: Date) => string[][];
  /** What `-o json` and `-o yaml` print: Envoy's own messages. Default: the items. */
  readonly data?: (items: readonly Data[]) => unknown;
  /** A text in place of a table. */
  readonly text?: (items: readonly Data[]) => string;
  /** What an item is called, where its row does not begin with that. */
  readonly nameOf?: (item: Data) => string;
  /** A section of a dump that every proxy has: what lacks it cannot tell. */
  readonly needs?: string;
  /** What is left of an item under flags of the command (by their names); undefined: nothing. */
  readonly narrow?: (item: Data, wanted: Wanted) => Data | undefined;
  /** The table of `--verbose=false`. */
  readonly brief?: Pick<View, "columns" | "rows">;
  /** What `--summary` counts an item as, most general first. */
  readonly counted?: (item: Data) => readonly string[];
}

/** Path of everything a proxy holds, endpoints too. */
export const ENDPOINTS_DUMP = "/config_dump?include_eds";

/** Flags that narrow a view, by their names; absent ones are not asked for. */
export type Wanted = Readonly<Record<string, string | undefined>>;

/** Whether each value is the one that is wanted, without regard to case; what nobody asks for always is. */
export function isWanted(wanted: Wanted, values: Readonly<Record<string, string>>): boolean {
  return Object.entries(values).every(([name, value]) => {
    const asked = wanted[name];
    return asked === undefined || asked.toLowerCase() === value.toLowerCase();
  });
}

/** Plain data of unknown shape: what Envoy says is read with care, versions differ. */
export type Data = Readonly<Record<string, unknown>>;

/** The member as a record; empty when it is none. */
export function record(value: unknown, ...path: readonly string[]): Data {
  const found = path.reduce<unknown>((data, key) => (isRecord(data) ? data[key] : undefined), value);
  return isRecord(found) ? found : {};
}

/** The member as a list; empty when it is none. */
export function list(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = path.reduce<unknown>((data, key) => (isRecord(data) ? data[key] : undefined), value);
  return Array.isArray(found) ? found : [];
}

/** The member as text; empty when it is absent. */
export function text(value: unknown, ...path: readonly string[]): string {
  const found = path.reduce<unknown>((data, key) => (isRecord(data) ? data[key] : undefined), value);
  return typeof found === "string" || typeof found === "number" || typeof found === "boolean" ? String(found) : "";
}

/** The sections of a config dump with this message name, e.g. `ClustersConfigDump`. */
export function sections(dump: unknown, message: string): readonly Data[] {
  return list(dump, "configs")
    .filter((config) => text(config, "@type").endsWith(`.${message}`))
    .map((config) => record(config));
}

/** `name.namespace` of the object a resource was made from, by the metadata the control plane puts there; empty when none. */
export function sourceObject(resource: unknown): string {
  const config = text(resource, "metadata", "filter_metadata", "istio", "config");
  const match = /\/namespaces\/([^/]+)\/[^/]+\/([^/]+)$/.exec(config);
  return match === null ? "" : `${match[2] ?? ""}.${match[1] ?? ""}`;
}

/** Rows in the order of their cells, numbers by value; with `columns` only of so many, rows with equal ones stay as they were. */
export function sorted(rows: string[][], columns = Number.POSITIVE_INFINITY): string[][] {
  return rows.sort((a, b) => {
    for (const [index, cell] of a.slice(0, columns).entries()) {
      const other = b[index] ?? "";
      const order = cell.localeCompare(other, "en", { numeric: true });
      if (order !== 0) return order;
    }
    return 0;
  });
}

function isRecord(value: unknown): value is Data {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a text is what Envoy answers to `/config_dump`, by its beginning. */
export function isDump(text: string): boolean {
  return /^\s*\{\s*"configs"\s*:/.test(text);
}
