/** A structural schema as CRDs have it. */
export interface Structural {
  readonly properties?: Readonly<Record<string, Structural>>;
  readonly items?: Structural;
  readonly additionalProperties?: Structural | boolean;
  readonly [word: string]: unknown;
}

/** A CustomResourceDefinition, as far as two of them are compared. */
export interface CrdObject {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: Readonly<Record<string, unknown>>;
    readonly versions: readonly CrdVersion[];
  };
}

interface CrdVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly subresources?: unknown;
  readonly additionalPrinterColumns?: readonly Readonly<Record<string, unknown>>[];
  readonly schema: { readonly openAPIV3Schema: Structural };
}

/** One place where two CRDs of a kind differ. */
export interface Difference {
  readonly kind: string;
  /** `spec.http[].match`, `.*` for the values of a map; `versions`, `names` and the like for the CRD itself. */
  readonly path: string;
  /** The word of the schema that differs, or `field` for one that is on one side only. */
  readonly what: string;
  readonly theirs: string;
  readonly ours: string;
}

/** Everything that differs between two sets of CRDs: header, versions, and each schema field by field. The same difference in several versions is told once. */
export function differences(theirs: readonly CrdObject[], ours: readonly CrdObject[]): readonly Difference[] {
  const found = new Map<string, Difference>();
  const add = (difference: Difference): void => {
    found.set(JSON.stringify(difference), difference);
  };
  const names = new Set([...theirs, ...ours].map(({ metadata }) => metadata.name));
  for (const name of [...names].toSorted()) {
    const [left, right] = [theirs, ours].map((crds) => crds.find(({ metadata }) => metadata.name === name));
    const kind = String((left ?? right)?.spec.names["kind"]);
    if (left === undefined || right === undefined)
      add({ kind, path: "", what: "kind", theirs: there(left), ours: there(right) });
    else compareCrds(kind, left, right, add);
  }
  return [...found.values()];
}

type Add = (difference: Difference) => void;

function there(value: unknown): string {
  return value === undefined ? "absent" : "present";
}

function compareCrds(kind: string, left: CrdObject, right: CrdObject, add: Add): void {
  const header = (path: string, what: string, pick: (crd: CrdObject) => unknown): void => {
    const [theirs, ours] = [text(pick(left)), text(pick(right))];
    if (theirs !== ours) add({ kind, path, what, theirs, ours });
  };
  header("names", "scope", ({ spec }) => spec.scope);
  for (const word of ["kind", "listKind", "plural", "singular", "shortNames", "categories"])
    header("names", word, ({ spec }) => spec.names[word]);
  header("versions", "served", ({ spec }) => versionNames(spec.versions.filter(({ served }) => served)));
  header("versions", "storage", ({ spec }) => versionNames(spec.versions.filter(({ storage }) => storage)));
  for (const version of left.spec.versions) {
    const other = right.spec.versions.find(({ name }) => name === version.name);
    if (other === undefined) continue;
    const columns = (one: CrdVersion): readonly string[] =>
      (one.additionalPrinterColumns ?? [])
        .map((column) => text([column["name"], column["type"], column["jsonPath"], column["priority"] ?? 0]))
        .toSorted();
    const pairs = [
      ["columns", text(columns(version)), text(columns(other))],
      ["subresources", text(version.subresources), text(other.subresources)],
    ] as const;
    for (const [what, theirs, ours] of pairs) if (theirs !== ours) add({ kind, path: "versions", what, theirs, ours });
    compareSchemas({ kind, add }, "", version.schema.openAPIV3Schema, other.schema.openAPIV3Schema);
  }
}

function versionNames(versions: readonly CrdVersion[]): readonly string[] {
  return versions.map(({ name }) => name).toSorted();
}

/** Words whose values are compared as they are. */
const WORDS = [
  "type",
  "default",
  "format",
  "nullable",
  "pattern",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
  "uniqueItems",
  "x-kubernetes-int-or-string",
  "x-kubernetes-list-type",
  "x-kubernetes-map-type",
  "x-kubernetes-preserve-unknown-fields",
] as const;

/** Words whose order does not matter. */
const SETS = ["enum", "required", "x-kubernetes-list-map-keys"] as const;

interface Walk {
  readonly kind: string;
  readonly add: Add;
}

function compareSchemas(walk: Walk, path: string, left: Structural, right: Structural): void {
  const differ = (what: string, theirs: unknown, ours: unknown): void => {
    if (text(theirs) !== text(ours)) walk.add({ kind: walk.kind, path, what, theirs: text(theirs), ours: text(ours) });
  };
  for (const word of WORDS) differ(word, left[word], right[word]);
  for (const word of SETS) differ(word, sorted(left[word]), sorted(right[word]));
  differ("one-of", groups(left), groups(right));
  differ("cel", celCount(left), celCount(right));
  const [theirs, ours] = [left.properties ?? {}, right.properties ?? {}];
  for (const name of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
    const inner = path === "" ? name : `${path}.${name}`;
    const [mine, other] = [ours[name], theirs[name]];
    if (mine === undefined || other === undefined)
      walk.add({ kind: walk.kind, path: inner, what: "field", theirs: there(other), ours: there(mine) });
    else compareSchemas(walk, inner, other, mine);
  }
  compareInner(walk, `${path}[]`, left.items, right.items);
  compareInner(walk, `${path}.*`, mapOf(left), mapOf(right));
}

function compareInner(walk: Walk, path: string, left: Structural | undefined, right: Structural | undefined): void {
  if (left !== undefined && right !== undefined) compareSchemas(walk, path, left, right);
  else if (left !== right) walk.add({ kind: walk.kind, path, what: "field", theirs: there(left), ours: there(right) });
}

function mapOf({ additionalProperties }: Structural): Structural | undefined {
  return typeof additionalProperties === "object" ? additionalProperties : undefined;
}

/** How many CEL rules a place has: their texts differ from ours, whether both have some is what counts. */
function celCount(schema: Structural): string {
  const rules = schema["x-kubernetes-validations"] as readonly unknown[] | undefined;
  return rules === undefined || rules.length === 0 ? "none" : "some";
}

/** The groups of fields that exclude each other: `a|b` at most one, `a|b!` exactly one. */
function groups(schema: Structural): readonly string[] {
  const all = [schema, ...((schema["allOf"] as readonly Structural[] | undefined) ?? [])];
  return all
    .flatMap((part) => {
      const branches = (part["oneOf"] ?? part["anyOf"]) as readonly Structural[] | undefined;
      if (branches === undefined || schema["x-kubernetes-int-or-string"] === true) return [];
      const fields = branches.flatMap((branch) => (branch["required"] as readonly string[] | undefined) ?? []);
      const free = branches.some((branch) => branch["not"] !== undefined);
      return [`${fields.toSorted().join("|")}${free ? "" : "!"}`];
    })
    .toSorted();
}

function sorted(value: unknown): unknown {
  return Array.isArray(value) ? value.map(String).toSorted() : value;
}

function text(value: unknown): string {
  if (value === undefined) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}
