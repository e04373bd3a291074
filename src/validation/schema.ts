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

function words({ schema, value: spec, root }: Subject, path: FieldPath, error: SchemaError): Words {
  const at = pathText([root, ...path]);
  const type = typeAt(schema, path);
  const got = show(valueAt(spec, path));
  const plain = (problem: string, hint = ""): Words => ({ problem, hint, path });
  switch (error.keyword) {
    case "additionalProperties": {
      const name = String(error.params["additionalProperty"]);
      return { ...unknownField(at, type, name), path: [...path, name] };
    }
    case "required":
      return plain(
        `${pathText([root, ...path, String(error.params["missingProperty"])])} is missing`,
        `Add ${String(error.params["missingProperty"])} to ${at}.`,
      );
    case "enum": {
      const allowed = (error.params["allowedValues"] as readonly unknown[]).map(String);
      const close = nearest(String(valueAt(spec, path)), allowed);
      return plain(
        `${at}: expected one of ${allowed.join(", ")}, got ${got}`,
        close === undefined ? "" : `Did you mean ${close}?`,
      );
    }
    case "type":
      return plain(
        `${at}: expected ${typeWords(error.params["type"], type)}, got ${got}`,
        valueHint(error, type, valueAt(spec, path)),
      );
    case "pattern":
      return plain(`${at}: expected ${patternText(type, String(error.params["pattern"]))}, got ${got}`);
    case "x-kubernetes-validations":
      return plain(`${at}: ${String(error.params["message"])}${isPlain(valueAt(spec, path)) ? `, got ${got}` : ""}`);
    case "maxProperties":
      return plain(`${at}: expected ${expectedWords[type] ?? "fewer fields"}, got ${keysAt(spec, path)}`);
    case "x-one-of":
      return oneOf(at, valueAt(spec, path), error.params as unknown as OneOfParams, path);
    case "x-kubernetes-list-map-keys":
    case "x-kubernetes-list-type":
      return duplicate(at, valueAt(spec, path), error.params as unknown as DuplicateParams, path);
    default:
      return plain(`${at}: expected ${limitWords(error)}, got ${got}`);
  }
}

function patternText(type: string, pattern: string): string {
  return expectedWords[type] ?? own(patternWords, pattern) ?? `text that matches ${pattern}`;
}

function isPlain(value: unknown): boolean {
  return typeof value !== "object" && value !== undefined;
}

interface OneOfParams {
  readonly fields: readonly string[];
  readonly required: boolean;
}

/** Fields that exclude each other: which are there, and what to do. */
function oneOf(at: string, value: unknown, { fields, required }: OneOfParams, path: FieldPath): Words {
  const there = fields.filter((field) => (value as Readonly<Record<string, unknown>>)[field] !== undefined);
  const expected = `${required ? "exactly" : "at most"} one of ${listed(fields)}`;
  const hint = there.length === 0 ? `Add one of ${listed(fields)}.` : `Keep one of ${listed(there)}.`;
  return { problem: `${at}: expected ${expected}, got ${there.length === 0 ? "none" : listed(there)}`, hint, path };
}

interface DuplicateParams {
  readonly keys: readonly string[];
  readonly index: number;
}

/** A list entry with the same keys as one before it. */
function duplicate(at: string, value: unknown, { keys, index }: DuplicateParams, path: FieldPath): Words {
  const item = (value as readonly unknown[])[index];
  const record = (item ?? {}) as Readonly<Record<string, unknown>>;
  const what = keys.length === 0 ? show(item) : keys.map((key) => `${key} ${show(record[key])}`).join(", ");
  const problem = `${at}: two entries with ${keys.length === 0 ? "the value " : ""}${what}`;
  return { problem, hint: "Remove one of them.", path: [...path, index] };
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}

function unknownField(at: string, type: string, name: string): Omit<Words, "path"> {
  const known = Object.keys(own(shapes, type) ?? {});
  const close = nearest(name, known);
  const hint = close === undefined ? `Fields here: ${known.join(", ")}.` : `Did you mean ${close}?`;
  return { problem: `${at} has no field ${name}`, hint };
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

function keysAt(spec: unknown, path: FieldPath): string {
  const value = valueAt(spec, path);
  return typeof value === "object" && value !== null ? Object.keys(value).join(" and ") : show(value);
}

/** A value as messages show it: short, with its type visible. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "a map";
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
