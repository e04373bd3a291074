import { type ASTNode, parse } from "@marcbachmann/cel-js";
import { type JsonSchema, resolveRef, type SchemaSource } from "./schema-source.ts";

/**
 * Rules in CEL as expressions of JavaScript, so that what the API server evaluates is checked offline by the same words, and no
 * interpreter is loaded. Only what rules use is known; anything else fails the generator. Helpers are in src/base/cel.ts.
 */

/** The schema of a value, with the file that its references are read from. */
interface Typed {
  readonly source: SchemaSource;
  readonly schema: JsonSchema;
}

interface Code {
  readonly js: string;
  /** Undefined where nothing is known of the value. */
  readonly type?: Typed | undefined;
  /** Whether it may fail at run time, e.g. by asking for a field that is not there. */
  readonly throws: boolean;
}

interface Scope {
  readonly sources: readonly SchemaSource[];
  readonly variables: Readonly<Record<string, Code>>;
}

/** A rule as the body of `(self) => ...`; undefined for rules about changes (oldSelf), which one object alone cannot break. */
export function celToJs(sources: readonly SchemaSource[], rule: string, self: Typed): string | undefined {
  if (/\boldSelf\b/.test(rule)) return undefined;
  const scope = { sources, variables: { self: { js: "self", type: resolved(sources, self), throws: false } } };
  try {
    return codeOf(scope, parse(rule).ast).js;
  } catch (error) {
    throw new Error(`rule ${rule}: ${(error as Error).message}`);
  }
}

/** Follows references; words beside a reference win. */
function resolved(sources: readonly SchemaSource[], type: Typed): Typed {
  if (type.schema.$ref === undefined) return type;
  const target = resolveRef(sources, type.source, type.schema.$ref);
  const inner = resolved(sources, { source: target.source, schema: target.schema });
  const { $ref: _ref, ...own } = type.schema;
  return { source: inner.source, schema: { ...inner.schema, ...own } };
}

const OPERATORS: Readonly<Record<string, string>> = {
  "==": "===",
  "!=": "!==",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
  "+": "+",
  "-": "-",
  "*": "*",
  "%": "%",
};

function codeOf(scope: Scope, node: ASTNode): Code {
  if (node.op === "value") return { js: literal(node.args), throws: false };
  if (node.op === "id") return variable(scope, String(node.args));
  if (node.op === "!_") {
    const inner = codeOf(scope, node.args as ASTNode);
    return { js: `!${inner.js}`, throws: inner.throws };
  }
  const args = node.args as readonly unknown[];
  if (node.op === "call") return call(scope, String(args[0]), args[1] as readonly ASTNode[]);
  if (node.op === "rcall") return method(scope, String(args[0]), args[1] as ASTNode, args[2] as readonly ASTNode[]);
  if (node.op === ".") return member(scope, codeOf(scope, args[0] as ASTNode), String(args[1]));
  const parts = args.map((one) => codeOf(scope, one as ASTNode));
  return operation(scope, node.op, parts);
}

function operation(scope: Scope, op: string, parts: readonly Code[]): Code {
  const throws = parts.some((part) => part.throws);
  const js = parts.map((part) => part.js);
  const [first, second, third] = parts;
  if (op === "list") return { js: `[${js.join(", ")}]`, throws };
  if (first === undefined || second === undefined) throw new Error(`${op} is not known`);
  if (op === "&&" || op === "||") return logical(op, first, second);
  if (op === "in") return { js: `cel.within(${js.join(", ")})`, throws };
  if (op === "[]") return { js: `cel.item(${js.join(", ")})`, type: elementOf(scope, first), throws: true };
  if (op === "?:" && third !== undefined)
    return { js: `(${first.js} ? ${second.js} : ${third.js})`, type: second.type ?? third.type, throws };
  const operator = OPERATORS[op];
  if (operator === undefined) throw new Error(`${op} is not known`);
  return { js: `(${first.js} ${operator} ${second.js})`, throws };
}

/** CEL's && and || do not fail when the other side decides. */
function logical(op: "&&" | "||", left: Code, right: Code): Code {
  const throws = left.throws || right.throws;
  if (!left.throws) return { js: `(${left.js} ${op} ${right.js})`, throws };
  return { js: `cel.${op === "&&" ? "and" : "or"}(() => ${left.js}, () => ${right.js})`, throws };
}

function literal(value: unknown): string {
  return typeof value === "bigint" ? String(value) : JSON.stringify(value);
}

function variable(scope: Scope, name: string): Code {
  const known = scope.variables[name];
  if (known === undefined) throw new Error(`${name} is not known`);
  return known;
}

/** CEL writes reserved words as `__namespace__`. */
function unescaped(name: string): string {
  return name.replace(/^__(\w+)__$/, "$1");
}

/** A field. One with a default has it when it is not there, as at the API server; others fail then. */
function member(scope: Scope, object: Code, escaped: string): Code {
  const name = unescaped(escaped);
  const { type, needed } = fieldOf(scope, object, name);
  const key = JSON.stringify(name);
  const standard = type?.schema.default;
  if (standard !== undefined)
    return { js: `(${object.js}[${key}] ?? ${JSON.stringify(standard)})`, type, throws: object.throws };
  if (needed) return { js: `${object.js}[${key}]`, type, throws: object.throws };
  return { js: `cel.field(${object.js}, ${key})`, type, throws: true };
}

function fieldOf(scope: Scope, object: Code, name: string): { type: Typed | undefined; needed: boolean } {
  const field = object.type?.schema.properties?.[name];
  if (object.type === undefined || field === undefined) return { type: undefined, needed: false };
  const type = resolved(scope.sources, { source: object.type.source, schema: field });
  return { type, needed: object.type.schema.required?.includes(name) === true };
}

/** What a list's items are; of a map's keys nothing is known. */
function elementOf(scope: Scope, { type }: Code): Typed | undefined {
  if (type?.schema.items === undefined) return undefined;
  return resolved(scope.sources, { source: type.source, schema: type.schema.items });
}

const FUNCTIONS = ["size", "duration", "int", "url", "isURL", "isIP"];

function call(scope: Scope, name: string, args: readonly ASTNode[]): Code {
  const [first] = args;
  if (first === undefined) throw new Error(`${name}() is not known`);
  if (name === "has") return has(scope, first);
  if (!FUNCTIONS.includes(name)) throw new Error(`${name}() is not known`);
  const value = codeOf(scope, first);
  return { js: `cel.${name}(${value.js})`, throws: value.throws || ["int", "url", "duration"].includes(name) };
}

function has(scope: Scope, node: ASTNode): Code {
  if (node.op !== ".") throw new Error("has() needs a field");
  const [base, escaped] = node.args as [ASTNode, string];
  const object = codeOf(scope, base);
  const name = unescaped(escaped);
  if (fieldOf(scope, object, name).type?.schema.default !== undefined) return { js: "true", throws: object.throws };
  return { js: `(${object.js}[${JSON.stringify(name)}] !== undefined)`, throws: object.throws };
}

const MACROS: Readonly<Record<string, string>> = { all: "every", exists: "some", filter: "filter", map: "map" };

const METHODS: Readonly<Record<string, string>> = {
  contains: "includes",
  startsWith: "startsWith",
  endsWith: "endsWith",
  substring: "substring",
  split: "split",
  lowerAscii: "toLowerCase",
};

function method(scope: Scope, name: string, on: ASTNode, args: readonly ASTNode[]): Code {
  const object = codeOf(scope, on);
  if (name in MACROS || name === "exists_one") return macro(scope, name, object, args);
  const values = args.map((one) => codeOf(scope, one));
  const throws = object.throws || values.some((one) => one.throws);
  const given = [object.js, ...values.map(({ js }) => js)];
  if (["size", "matches", "getScheme"].includes(name)) return { js: `cel.${name}(${given.join(", ")})`, throws };
  const plain = METHODS[name];
  if (plain === undefined) throw new Error(`${name}() is not known`);
  return { js: `${object.js}.${plain}(${given.slice(1).join(", ")})`, throws };
}

function macro(scope: Scope, name: string, object: Code, args: readonly ASTNode[]): Code {
  const [id, body] = args as readonly [ASTNode, ASTNode];
  const own = id.args as string;
  const item: Code = { js: own, type: elementOf(scope, object), throws: false };
  const { js, throws: fails } = codeOf({ ...scope, variables: { ...scope.variables, [own]: item } }, body);
  const throws = fails || object.throws;
  const of = `cel.members(${object.js})`;
  if (name === "exists_one") return { js: `(${of}.filter((${own}) => ${js}).length === 1)`, throws };
  const type = name === "filter" ? object.type : undefined;
  return { js: `${of}.${MACROS[name] ?? ""}((${own}) => ${js})`, type, throws };
}
