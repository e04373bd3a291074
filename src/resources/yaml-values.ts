import {
  binaryTag,
  constructFromEvents,
  defineMappingTag,
  defineScalarTag,
  mapTag,
  mergeTag,
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

/** Maps as the library makes them, without the keys that JSON has no place for. */
const jsonMapTag = defineMappingTag<Record<string, unknown>>("tag:yaml.org,2002:map", {
  ...mapTag,
  addPair: (carrier, key, value) =>
    key === null || typeof key === "object"
      ? `${key === null ? "null" : "a collection"} cannot be a key`
      : mapTag.addPair(carrier, key, value),
});

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
  seqTag,
  jsonMapTag,
  mergeTag,
  plainTag,
  typedTag("int", "number"),
  typedTag("float", "number"),
  typedTag("bool", "boolean"),
  nullTag,
  textOfBinary,
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
    return constructFromEvents(parseEvents(text, {}), { source: text, schema: kubernetesSchema });
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
