import { nearest } from "./nearest.ts";
import { parsePath, type Segments, valueAt } from "./field-path.ts";

/** A template made ready: filled as often as wanted, with other data each time. */
export type Template = (data: unknown) => unknown;

/** Makes an expression ready; throws TemplateError for one that cannot be read (base/expressions.ts). */
export type CompileExpression = (source: string) => (data: unknown) => unknown;

/** A template that cannot be filled: the text says which hole, `hole` is how it is written. */
export class TemplateError extends Error {
  readonly hole: string | undefined;
  constructor(message: string, hole?: string) {
    super(message);
    this.hole = hole;
  }
}

/** What compileTemplate is told beside the template. */
export interface TemplateLanguage {
  /** For `${{ }}`: without it a template that has one is refused. */
  readonly expressions?: CompileExpression | undefined;
  /** First names of paths that there are; all when absent. */
  readonly names?: readonly string[];
}

/**
 * Templates are plain data with holes; filling them runs no code. `"${a.b}"` alone takes the value at that path with its type,
 * inside other text its words; `${a.b ?? c}` takes the first that is defined; a key or item whose value comes out undefined is
 * left out. `${{ expression }}` takes the value of an expression. `$when` (a path, `!path` or an expression) in an object keeps
 * it only while that is truthy. `{ $splice: "${path}" }` in a list puts the items of a list in its place. Throws TemplateError.
 */
export function compileTemplate(template: unknown, language: TemplateLanguage = {}): Template {
  if (typeof template === "string") return compileText(template, language);
  if (Array.isArray(template)) {
    const items = template.map((item) => compileItem(item, language));
    return (data) => items.flatMap((item) => item(data));
  }
  if (typeof template !== "object" || template === null) return () => template;
  return compileObject(template as Readonly<Record<string, unknown>>, language);
}

/** compileTemplate for a template that is filled once. */
export function fillTemplate(template: unknown, data: unknown): unknown {
  return compileTemplate(template)(data);
}

function compileObject({ $when, ...rest }: Readonly<Record<string, unknown>>, language: TemplateLanguage): Template {
  const isThere = $when === undefined ? undefined : compileCondition($when, language);
  const members = Object.entries(rest).map(([key, value]) => [key, compileTemplate(value, language)] as const);
  return (data) => {
    if (isThere?.(data) === false) return undefined;
    const filled: Record<string, unknown> = {};
    for (const [key, member] of members) {
      const value = member(data);
      if (value !== undefined) filled[key] = value;
    }
    return filled;
  };
}

function compileItem(item: unknown, language: TemplateLanguage): (data: unknown) => unknown[] {
  if (typeof item === "object" && item !== null && "$splice" in item) {
    const list = compileTemplate(item.$splice, language);
    const hole = String(item.$splice);
    return (data) => {
      const items = list(data);
      if (items === undefined) return [];
      if (!Array.isArray(items)) throw new TemplateError(`$splice: ${hole} is not a list`, hole);
      return items as unknown[];
    };
  }
  const one = compileTemplate(item, language);
  return (data) => {
    const result = one(data);
    return result === undefined ? [] : [result];
  };
}

/** A hole: `${{ expression }}`, which may hold braces when it is the whole text, or `${path}`. */
const WHOLE = /^\$\{\{((?:(?!\$\{)[\s\S])*)\}\}$|^\$\{([^{}]*)\}$/;
const HOLES = /\$\{\{([\s\S]*?)\}\}|\$\{([^{}]*)\}/g;

function compileText(text: string, language: TemplateLanguage): Template {
  if (!text.includes("${")) return () => text;
  const whole = WHOLE.exec(text);
  if (whole !== null) return compileHole(whole, language);
  const parts: (string | Template)[] = [];
  let end = 0;
  for (const match of text.matchAll(HOLES)) {
    const hole = compileHole(match, language);
    parts.push(text.slice(end, match.index), (data) => wordsOf(hole(data), match[0]));
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return (data) => parts.map((part) => (typeof part === "string" ? part : part(data))).join("");
}

function compileHole([hole, expression, path]: readonly string[], language: TemplateLanguage): Template {
  return expression === undefined
    ? compilePath(path ?? "", hole ?? "", language)
    : compileExpression(expression, hole ?? "", language);
}

function compileExpression(source: string, hole: string, { expressions }: TemplateLanguage): Template {
  if (expressions === undefined) throw new TemplateError(`${hole}: expressions are not known here`, hole);
  const attempt = <T>(act: () => T): T => {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      throw new TemplateError(`${hole}: ${error.message}`, hole);
    }
  };
  const evaluate = attempt(() => expressions(source));
  return (data) => attempt(() => evaluate(data));
}

function wordsOf(value: unknown, hole: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return String(value);
  throw new TemplateError(`${hole} is no text: it can only stand alone`, hole);
}

function compileCondition(condition: unknown, language: TemplateLanguage): (data: unknown) => boolean {
  if (typeof condition !== "string") throw new TemplateError("$when needs a path or an expression");
  const expression = WHOLE.exec(condition)?.[1];
  if (expression !== undefined) {
    const evaluate = compileExpression(expression, condition, language);
    return (data) => Boolean(evaluate(data));
  }
  const negated = condition.startsWith("!");
  const look = compilePath(negated ? condition.slice(1) : condition, condition, language);
  return (data) => Boolean(look(data)) !== negated;
}

function unknownName(hole: string, name: string, names: readonly string[]): TemplateError {
  const meant = nearest(name, names);
  const there = meant === undefined ? `only ${names.join(", ")}` : `did you mean ${meant}?`;
  return new TemplateError(`${hole}: there is no ${name}, ${there}`, hole);
}

function compilePath(text: string, hole: string, { names }: TemplateLanguage): Template {
  const alternatives = text.split("??").map((alternative): Segments => {
    const path = parsePath(alternative.trim());
    if (path === undefined) throw new TemplateError(`${hole} is not a path`, hole);
    if (names?.includes(String(path[0])) === false) throw unknownName(hole, String(path[0]), names);
    return path;
  });
  return (data) => {
    for (const path of alternatives) {
      const value = valueAt(data, path);
      if (value !== undefined && value !== null) return value;
    }
    return undefined;
  };
}
