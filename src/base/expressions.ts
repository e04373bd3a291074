import { Environment, Optional, ParseError } from "@marcbachmann/cel-js";
import { type CompileExpression, TemplateError } from "./template.ts";

/**
 * CEL, the expression language of Kubernetes, for `${{ }}` in templates: no loops, no side effects, no access to anything but the
 * data. In a module of its own, made at first use: few
 * templates have an expression.
 */
let language: Environment | undefined;

function languageOf(): Environment {
  language ??= new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
  });
  return language;
}

/** Makes a CEL expression ready. Whole numbers are `int`; what comes out is plain data, an empty optional is undefined. */
export const compileExpression: CompileExpression = (source) => {
  const evaluate = attempt(() => languageOf().parse(source.trim()));
  return (data) => attempt(() => fromCel(evaluate(toCel(data) as Record<string, unknown>)));
};

function attempt<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const words = error.message.split("\n")[0] ?? "";
    throw new TemplateError(error instanceof ParseError ? `not an expression of CEL: ${words}` : words);
  }
}

/** JavaScript has one kind of number, CEL two: whole ones are meant as int. What is undefined is not there. */
function toCel(value: unknown): unknown {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries.map(([key, member]) => [key, toCel(member)]));
}

function fromCel(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Optional) return value.hasValue() ? fromCel(value.value()) : undefined;
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, member]) => [String(key), fromCel(member)]));
  if (Array.isArray(value)) return value.map(fromCel);
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return value;
  if (typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype)
    throw new TemplateError("its value is no data that YAML has");
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fromCel(member)]));
}
