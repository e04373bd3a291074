import { compact } from "../base/compact.ts";
import { type ExplainEntry, loadExamples } from "../gen/explain-index.ts";
import type { Wanted } from "./explain-lookup.ts";
import {
  fieldsOf,
  type Files,
  follow,
  type Found,
  loadSchemas,
  type Place,
  resolved,
  typeText,
} from "./explain-schema.ts";

/** A field as `explain` tells it. */
export interface ExplainedField {
  readonly name: string;
  /** A JSON type, the name of a definition, `[]T` or `map of T`. */
  readonly type: string;
  readonly required: boolean;
  readonly default?: string;
  readonly enum?: readonly (string | number)[];
  readonly deprecated?: true;
  readonly description: string;
}

/** Data of `meshctl explain KIND[.field]… -o json`. */
export interface Explanation extends Omit<ExplainedField, "name"> {
  /** Our name of the kind or configuration. */
  readonly name: string;
  readonly kind?: string;
  readonly apiVersions?: readonly string[];
  readonly plural?: string;
  readonly shortNames?: readonly string[];
  readonly namespaced?: boolean;
  /** What was asked for, e.g. `VirtualService.spec.http`. */
  readonly path: string;
  /** What a value has to be beyond its type. */
  readonly limits?: readonly string[];
  readonly fields: readonly ExplainedField[];
  /** A whole object, for a kind. */
  readonly example?: unknown;
}

/** The data of one explanation. Throws UsageError for a field that is not there. */
export async function explain({ entry, steps }: Wanted): Promise<Explanation> {
  const files = await loadSchemas(entry.file);
  const root: Place = { file: entry.file, schema: files.get(entry.file) ?? {} };
  const { start, part, below } =
    entry.kind === undefined ? { start: root, part: "", below: steps } : partOf(root, steps);
  const path = `${entry.name}${part}`;
  const found = follow(files, start, below, path);
  return compact({
    ...namesOf(entry),
    path: [path, ...below].join("."),
    ...described(files, found),
    limits: limitsOf(resolved(files, found).schema),
    fields: childrenOf(files, found),
    example: steps.length === 0 ? (await loadExamples())[entry.name] : undefined,
  });
}

function childrenOf(files: Files, found: Found): readonly ExplainedField[] {
  const holder = fieldsOf(files, found);
  return Object.entries(holder?.schema.properties ?? {}).map(([name, schema]) => {
    const required = holder?.schema.required?.includes(name) === true;
    return { name, ...described(files, { file: holder?.file ?? "", schema, required }) };
  });
}

function described(files: Files, found: Found): Omit<ExplainedField, "name"> {
  const { schema } = resolved(files, found);
  const description = schema.description ?? "";
  const items =
    schema.items === undefined
      ? undefined
      : resolved(files, { file: resolved(files, found).file, schema: schema.items });
  return compact({
    type: typeText(files, found),
    required: found.required,
    default: schema.default === undefined ? defaultWords(description) : plainText(schema.default),
    enum: schema.enum ?? items?.schema.enum,
    deprecated: schema.deprecated === true ? (true as const) : undefined,
    description,
  });
}

function plainText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The default as a description ends with it: `Default 10s.`, `Default: no limit.` */
export function defaultWords(description: string): string | undefined {
  return /(?:^|\. )Default:? (.+?)(?:\.(?= |$)|; |$)/.exec(description)?.[1];
}

const LIMITS: Readonly<Record<string, (limit: string) => string>> = {
  "x-expected": (words) => words,
  minimum: (limit) => `${limit} or more`,
  maximum: (limit) => `${limit} or less`,
  minLength: (limit) => `${limit} characters or more`,
  maxLength: (limit) => `${limit} characters or less`,
  minItems: (limit) => `${limit} items or more`,
  maxItems: (limit) => `${limit} items or less`,
  minProperties: (limit) => `${limit} entries or more`,
  maxProperties: (limit) => `${limit} entries or less`,
};

function limitsOf(schema: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  const limits = Object.entries(LIMITS).flatMap(([word, words]) =>
    schema[word] === undefined ? [] : [words(plainText(schema[word]))],
  );
  const groups = (schema["x-one-of"] ?? []) as readonly { fields: readonly string[]; required?: boolean }[];
  const rules = (schema["x-kubernetes-validations"] ?? []) as readonly { message?: string }[];
  const all = [
    ...limits,
    ...groups.map(({ fields, required }) => `${required === true ? "exactly" : "at most"} one of ${fields.join(", ")}`),
    ...rules.flatMap(({ message }) => (message === undefined ? [] : [message])),
  ];
  return all.length === 0 ? undefined : all;
}

/** Which part of a kind is meant: its status when that is said, else its spec, named or not. */
function partOf(
  root: Place,
  steps: readonly string[],
): { readonly start: Place; readonly part: string; readonly below: readonly string[] } {
  const [first, ...rest] = steps;
  const status = root.schema["x-status"];
  if (first === "status" && status !== undefined)
    return { start: { file: root.file, schema: status }, part: ".status", below: rest };
  return { start: root, part: first === undefined ? "" : ".spec", below: first === "spec" ? rest : steps };
}

function namesOf({
  name,
  kind,
  group = "",
  versions,
  plural,
  shortNames,
  namespaced,
}: ExplainEntry): Pick<Explanation, "name" | "kind" | "apiVersions" | "plural" | "shortNames" | "namespaced"> {
  const apiVersions = versions?.map((version) => `${group}/${version}`);
  return compact({ name, kind, apiVersions, plural, shortNames, namespaced });
}
