import { pathText, valueAt } from "../base/field-path.ts";
import { nearest } from "../base/nearest.ts";
import { withoutNulls } from "../base/nulls.ts";
import { own } from "../base/own.ts";
import { finding } from "../diagnostics/codes.ts";
import type { FieldPath, Finding } from "../diagnostics/finding.ts";
import { type SchemaError, type SpecValidator, specValidators } from "../gen/validators/index.ts";
import { expectedWords, patternWords, shapes } from "../gen/validators/shapes.ts";
import type { KubeObject } from "../resources/object.ts";
import { refOf } from "../resources/object.ts";

/** What a spec does not hold to in its schema, in words: unknown fields with the nearest name, expected and got. */
export function schemaFindings(kind: string, object: KubeObject): readonly Finding[] {
  return schemaProblems(kind, object.spec ?? {}, "spec").map(({ keyword, problem, hint, path }) =>
    finding(
      "IST0106",
      { object: refOf(object), path: ["spec", ...path] },
      { rule: `schema-${keyword}`, problem, hint },
    ),
  );
}

const RULES: readonly string[] = [
  "x-one-of",
  "x-kubernetes-validations",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-list-type",
].map((keyword) => `schema-${keyword}`);

/**
 * Whether a finding of schemaFindings is about what fields say together (a rule, a group of exclusive fields, equal entries), not about
 * the form of one: the types of the spec can be trusted all the same.
 */
export function isAboutRule({ args }: Finding): boolean {
  return RULES.includes(String(args["rule"]));
}

/** One thing a value does not hold to. `path` is below the value. */
export interface SchemaProblem extends Words {
  readonly keyword: string;
}

/**
 * What a value does not hold to in a schema; `root` is what messages call the value. Each problem once. A validator that is not
 * in the index (`x-lazy`) is handed in.
 */
export function schemaProblems(
  schema: string,
  value: unknown,
  root: string,
  validate: SpecValidator | undefined = specValidators[schema],
): readonly SchemaProblem[] {
  if (validate === undefined || validate(value)) return [];
  const problems = new Map<string, SchemaProblem>();
  for (const error of withoutFollowers(withNullsLeftOut(validate, value))) {
    const found = words({ schema, value, root }, pointerSteps(error.instancePath), error);
    const key = `${found.path.join("/")} ${found.problem}`;
    if (!problems.has(key)) problems.set(key, { ...found, keyword: error.keyword });
  }
  return [...problems.values()];
}

/** What is wrong of a value that was refused, where fields that are null count as absent; unknown fields are unknown even then. */
function withNullsLeftOut(validate: SpecValidator, value: unknown): readonly SchemaError[] {
  const errors = validate.errors ?? [];
  const clean = withoutNulls(value);
  if (clean === value) return errors;
  const left = validate(clean) ? [] : (validate.errors ?? []);
  return [...errors.filter(isUnknown), ...left.filter((error) => !isUnknown(error))];
}

function isUnknown({ keyword }: SchemaError): boolean {
  return keyword === "additionalProperties";
}

/** A rule asks for a sound value: it has nothing to say where something inside the value has the wrong form. */
function withoutFollowers(errors: readonly SchemaError[]): readonly SchemaError[] {
  const rules = errors.filter(isRule);
  if (rules.length === 0 || rules.length === errors.length) return errors;
  const forms = errors.filter((error) => !isRule(error) && !isUnknown(error));
  const inside = (path: string, of: string): boolean => path === of || path.startsWith(`${of}/`);
  return errors.filter(
    (error) => !isRule(error) || !forms.some(({ instancePath }) => inside(instancePath, error.instancePath)),
  );
}

function isRule({ keyword }: SchemaError): boolean {
  return keyword === "x-kubernetes-validations";
}

interface Subject {
  readonly schema: string;
  readonly value: unknown;
  readonly root: string;
}

interface Words {
  readonly problem: string;
  readonly hint: string;
  readonly path: FieldPath;
}

function pointerSteps(pointer: string): FieldPath {
  if (pointer === "") return [];
  return pointer
    .slice(1)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

function words(subject: Subject, path: FieldPath, error: SchemaError): Words {
  const place: Place = {
    at: pathText([subject.root, ...path]),
    type: typeAt(subject.schema, path),
    value: valueAt(subject.value, path),
    path,
  };
  const { problem, hint = "", path: at = path } = (WORDS[error.keyword] ?? beyondLimit)(place, error);
  return { problem, hint, path: at };
}

/** Where an error is: the place in words, its type, what stands there. */
interface Place {
  readonly at: string;
  readonly type: string;
  readonly value: unknown;
  readonly path: FieldPath;
}

/** `path`: where the error is shown, when not at the place itself. */
interface Said {
  readonly problem: string;
  readonly hint?: string;
  readonly path?: FieldPath;
}

const WORDS: Readonly<Record<string, (place: Place, error: SchemaError) => Said>> = {
  additionalProperties: unknownField,
  required: missing,
  enum: noneOf,
  type: otherType,
  pattern: ({ at, type, value }, { params }) => ({
    problem: `${at}: expected ${patternText(type, String(params["pattern"]))}, got ${show(value)}`,
  }),
  "x-kubernetes-validations": ({ at, value }, { params }) => ({
    problem: `${at}: ${String(params["message"])}${isPlain(value) ? `, got ${show(value)}` : ""}`,
  }),
  "x-one-of": oneOf,
  "x-kubernetes-list-map-keys": duplicate,
  "x-kubernetes-list-type": duplicate,
};

function missing({ at }: Place, { params }: SchemaError): Said {
  const name = String(params["missingProperty"]);
  const field = /^[\w$]+$/.test(name) ? `${at}.${name}` : `${at}["${name}"]`;
  return { problem: `${field} is missing`, hint: `Add ${name} to ${at}.` };
}

function noneOf({ at, value }: Place, { params }: SchemaError): Said {
  const allowed = (params["allowedValues"] as readonly unknown[]).map(String);
  const close = isPlain(value) ? nearest(String(value), allowed) : undefined;
  return {
    problem: `${at}: expected one of ${allowed.join(", ")}, got ${show(value)}`,
    hint: close === undefined ? "" : `Did you mean ${close}?`,
  };
}

function otherType({ at, type, value }: Place, error: SchemaError): Said {
  const problem = `${at}: expected ${typeWords(error.params["type"], type)}, got ${show(value)}`;
  return { problem, hint: valueHint(error, type, value) };
}

function beyondLimit({ at, value }: Place, error: SchemaError): Said {
  return { problem: `${at}: expected ${limitWords(error)}, got ${show(value)}` };
}

function patternText(type: string, pattern: string): string {
  return expectedWords[type] ?? own(patternWords, pattern) ?? `text that matches ${pattern}`;
}

function isPlain(value: unknown): boolean {
  return typeof value !== "object" && value !== undefined;
}

/** Fields that exclude each other: which are there, and what to do. */
function oneOf({ at, value }: Place, { params }: SchemaError): Said {
  const fields = params["fields"] as readonly string[];
  const required = params["required"] === true;
  const there = fields.filter((field) => (value as Readonly<Record<string, unknown>>)[field] !== undefined);
  const expected = `${required ? "exactly" : "at most"} one of ${listed(fields)}`;
  const hint = there.length === 0 ? `Add one of ${listed(fields)}.` : `Keep one of ${listed(there)}.`;
  return { problem: `${at}: expected ${expected}, got ${there.length === 0 ? "none" : listed(there)}`, hint };
}

/** A list entry with the same keys as one before it. */
function duplicate({ at, value, path }: Place, { params }: SchemaError): Said {
  const keys = params["keys"] as readonly string[];
  const index = params["index"] as number;
  const item = (value as readonly unknown[])[index];
  const record = (item ?? {}) as Readonly<Record<string, unknown>>;
  const what = keys.length === 0 ? show(item) : keys.map((key) => `${key} ${show(record[key])}`).join(", ");
  const problem = `${at}: two entries with ${keys.length === 0 ? "the value " : ""}${what}`;
  return { problem, hint: "Remove one of them.", path: [...path, index] };
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}

function unknownField({ at, type, path }: Place, { params }: SchemaError): Said {
  const name = String(params["additionalProperty"]);
  const known = Object.keys(own(shapes, type) ?? {});
  const close = nearest(name, known);
  const hint = close === undefined ? `Fields here: ${known.join(", ")}.` : `Did you mean ${close}?`;
  return { problem: `${at} has no field ${name}`, hint, path: [...path, name] };
}

/** A number or switch where text is asked for is nearly always a value without quotes, and the other way round. */
function valueHint(error: SchemaError, type: string, value: unknown): string {
  if (type.endsWith("Duration") && typeof value === "number") return `Add a unit, e.g. ${value}s.`;
  const wanted = error.params["type"];
  if (wanted === "string" && (typeof value === "number" || typeof value === "boolean"))
    return "Put quotes around the value.";
  const number = wanted === "integer" || wanted === "number";
  return number && typeof value === "string" && /^\d+$/.test(value) ? "Remove the quotes around the number." : "";
}

const LIMITS: Readonly<Record<string, (limit: string) => string>> = {
  minimum: (limit) => `${limit} or more`,
  maximum: (limit) => `${limit} or less`,
  minItems: (limit) => `a list of at least ${limit}`,
  maxItems: (limit) => `a list of at most ${limit}`,
  minProperties: (limit) => `at least ${limit} entry`,
  maxProperties: (limit) => `at most ${limit} entries`,
  minLength: () => "a text that is not empty",
  maxLength: (limit) => `at most ${limit} characters`,
};

function limitWords(error: SchemaError): string {
  return LIMITS[error.keyword]?.(String(error.params["limit"])) ?? error.keyword;
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  object: "a map",
  array: "a list",
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
};

function typeWords(wanted: unknown, type: string): string {
  const expected = expectedWords[type];
  if (wanted === "string" && expected !== undefined) return expected;
  return TYPE_WORDS[String(wanted)] ?? String(wanted);
}

/** The type of a place: the name of a definition, or `[]T`, `{}T` or a JSON type. */
function typeAt(kind: string, path: FieldPath): string {
  let type = kind;
  for (const step of path) {
    if (type.startsWith("[]") || type.startsWith("{}")) type = type.slice(2);
    else type = own(own(shapes, type) ?? {}, String(step)) ?? "any";
  }
  return type;
}

/** A value as messages show it: short, with its type visible. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "a map";
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
