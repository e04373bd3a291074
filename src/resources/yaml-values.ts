import {
  binaryTag,
  constructFromEvents,
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  mapTag,
  NOT_RESOLVED,
  parseEvents,
  Schema,
  seqTag,
  strTag,
  YAMLException,
} from "js-yaml";
import { NotJsonNumber, resolvePlain } from "./yaml-scalars.ts";

/** A scalar tag whose plain form is decided by resolvePlain: what Kubernetes reads. Writers use it to know what needs quotes. */
export const plainTag = defineScalarTag("tag:yaml.org,2002:meshctl/plain", {
  implicit: true,
  // every other first character makes text: the reader need not ask
  implicitFirstChars: "+-.0123456789~yYnNtTfFoO".split("").concat(""),
  resolve: (source) => {
    const value = resolvePlain(source);
    return typeof value === "string" ? NOT_RESOLVED : value;
  },
  identify: () => false,
});

function typedTag(name: string, type: "number" | "boolean"): ReturnType<typeof defineScalarTag<unknown>> {
  return defineScalarTag<unknown>(`tag:yaml.org,2002:${name}`, {
    resolve: (source) => {
      const value = resolvePlain(source);
      return typeof value === type ? value : NOT_RESOLVED;
    },
    identify: () => false,
  });
}

/** What a plain `<<` is read as; as a key it merges, elsewhere it is a text. */
const MERGE = Symbol("merge");

const mergeTag = defineScalarTag<symbol>("tag:yaml.org,2002:meshctl/merge", {
  implicit: true,
  implicitFirstChars: ["<"],
  resolve: (source) => (source === "<<" ? MERGE : NOT_RESOLVED),
  identify: () => false,
});

type Fields = Record<string, unknown>;

/** Keys of a map under way that came by merging: they may be given again. */
const mergedKeys = new WeakMap<object, Set<string>>();

/**
 * Maps as the library makes them, without the keys that JSON has no place for. Merge keys take effect where they stand, as in the
 * reader of kubectl: what stands before them is replaced, what stands behind them replaces.
 */
const mapOptions = {
  ...mapTag,
  addPair: (carrier: Fields, key: unknown, value: unknown): string => {
    if (key === MERGE) return merge(carrier, value);
    if (key === null || typeof key === "object") return `${key === null ? "null" : "a collection"} cannot be a key`;
    mergedKeys.get(carrier)?.delete(String(key as string | number | boolean));
    return mapTag.addPair(carrier, key, value === MERGE ? "<<" : value);
  },
  has: (carrier: Fields, key: unknown): boolean =>
    key !== MERGE &&
    mapTag.has(carrier, key) &&
    mergedKeys.get(carrier)?.has(String(key as string | number | boolean)) !== true,
};

function merge(carrier: Fields, value: unknown): string {
  // of several maps the first counts
  const sources = Array.isArray(value) ? value.toReversed() : [value];
  const merged = mergedKeys.get(carrier) ?? new Set<string>();
  mergedKeys.set(carrier, merged);
  for (const source of sources) {
    if (typeof source !== "object" || source === null || Array.isArray(source))
      return "cannot merge: expected a map or a list of maps";
    for (const [key, member] of Object.entries(source as Fields)) {
      mapTag.addPair(carrier, key, member);
      merged.add(key);
    }
  }
  return "";
}

const listOptions = {
  ...seqTag,
  addItem: (carrier: unknown[], item: unknown): void => void carrier.push(item === MERGE ? "<<" : item),
};

const jsonMapTag = defineMappingTag<Fields>("tag:yaml.org,2002:map", mapOptions);
const jsonListTag = defineSequenceTag<unknown[]>("tag:yaml.org,2002:seq", listOptions);

/** Tags that nobody knows say nothing: the value is read as if they were not there, a scalar as text. */
const otherTags = ["!", "tag:"].flatMap((prefix) => [
  defineScalarTag<string>(prefix, { matchByTagPrefix: true, resolve: (source) => source, identify: () => false }),
  defineSequenceTag<unknown[]>(prefix, { ...listOptions, matchByTagPrefix: true, identify: () => false }),
  defineMappingTag<Fields>(prefix, { ...mapOptions, matchByTagPrefix: true, identify: () => false }),
]);

const nullTag = defineScalarTag("tag:yaml.org,2002:null", { resolve: () => null, identify: () => false });
const textOfBinary = defineScalarTag<string>("tag:yaml.org,2002:binary", {
  resolve: (source, isExplicit, tagName) => {
    const bytes = binaryTag.resolve(source, isExplicit, tagName);
    return typeof bytes === "symbol" ? NOT_RESOLVED : Buffer.from(bytes).toString("utf8");
  },
  identify: () => false,
});

const kubernetesSchema = new Schema([
  strTag,
  jsonListTag,
  jsonMapTag,
  mergeTag,
  plainTag,
  typedTag("int", "number"),
  typedTag("float", "number"),
  typedTag("bool", "boolean"),
  nullTag,
  textOfBinary,
  ...otherTags,
]);

/** A text that is no YAML, or none that Kubernetes reads. Line and column start at 1 and count in the text given. */
export class YamlSyntaxError extends Error {
  readonly line: number;
  readonly column: number;

  constructor(reason: string, line: number, column: number) {
    super(reason);
    this.line = line;
    this.column = column;
  }
}

/** The values of a YAML text, as Kubernetes reads them. Throws YamlSyntaxError. */
export function readValues(text: string): readonly unknown[] {
  try {
    const values = constructFromEvents(parseEvents(text, {}), { source: text, schema: kubernetesSchema });
    if (text.includes("*")) checkAliases(values, text);
    return values;
  } catch (error) {
    if (error instanceof YAMLException)
      throw new YamlSyntaxError(error.reason, (error.mark?.line ?? 0) + 1, (error.mark?.column ?? 0) + 1);
    if (error instanceof NotJsonNumber) {
      const before = text.slice(0, Math.max(0, text.search(/\.(?:inf|nan)/i))).split("\n");
      throw new YamlSyntaxError(error.message, before.length, (before.at(-1)?.length ?? 0) + 1);
    }
    throw error;
  }
}

/** Values that aliases may make of a text; kubectl has a limit as well. Objects of a cluster are at most 1.5 MB. */
const MOST_VALUES = 1_000_000;

/** Refuses a value that holds itself, and texts of a few lines whose aliases stand for millions of values. */
function checkAliases(values: unknown, text: string): void {
  const sizes = new Map<object, number>();
  const open = new Set<object>();
  const sizeOf = (value: unknown): number => {
    if (typeof value !== "object" || value === null) return 1;
    const known = sizes.get(value);
    if (known !== undefined) return known;
    if (open.has(value)) throw aliasError("an anchor holds an alias of itself", text);
    open.add(value);
    const size = Object.values(value).reduce<number>((sum, member) => sum + sizeOf(member), 1);
    open.delete(value);
    sizes.set(value, size);
    if (size > MOST_VALUES && size > text.length) throw aliasError("aliases stand for too many values", text);
    return size;
  };
  sizeOf(values);
}

function aliasError(reason: string, text: string): YamlSyntaxError {
  const before = text.slice(0, Math.max(0, text.search(/\*\w/))).split("\n");
  return new YamlSyntaxError(reason, before.length, (before.at(-1)?.length ?? 0) + 1);
}
