import { nearest } from "../base/nearest.ts";
import { type CompileExpression, compileTemplate, type Template, TemplateError } from "../base/template.ts";
import { injectionCodes } from "../diagnostics/codes/injection.ts";
import { hasExpressions, problemOf, readInjectionTemplate, type TemplateProblem } from "../model/injection-template.ts";
import { type InjectContext, InjectionError, type InjectorConfig } from "./config.ts";

/** The language of expressions where a template of the configuration has one; undefined, and not loaded, where none has. */
export async function loadExpressions(
  config: Pick<InjectorConfig, "templates">,
): Promise<CompileExpression | undefined> {
  const isNeeded = Object.values(config.templates).some((text) => typeof text === "string" && hasExpressions(text));
  return isNeeded ? (await import("../base/expressions.ts")).compileExpression : undefined;
}

/** Names of the templates that a pod asks for, aliases resolved: its annotation, else the defaults. */
export function templateNames(
  annotations: Readonly<Record<string, string>>,
  config: InjectorConfig,
): readonly string[] {
  const asked = annotations["inject.istio.io/templates"];
  const names = asked === undefined ? config.defaultTemplates : asked.split(",").map((name) => name.trim());
  return names.filter((name) => name !== "").flatMap((name) => config.aliases?.[name] ?? [name]);
}

/** A template with its holes filled. Throws InjectionError for one that there is not, cannot be read or cannot be filled. */
export function filledTemplate(name: string, variables: unknown, context: InjectContext): unknown {
  const template = templateOf(name, context);
  try {
    return template(variables);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw broken(name, problemOf(error, textOf(context.config.templates[name])));
  }
}

/** Templates that were made ready, as long as their configuration lives. */
const known = new WeakMap<object, Map<string, Template>>();

function templateOf(name: string, { config, expressions }: InjectContext): Template {
  const { templates } = config;
  const ready = known.get(templates) ?? new Map<string, Template>();
  known.set(templates, ready);
  const found = ready.get(name);
  if (found !== undefined) return found;
  if (!Object.hasOwn(templates, name)) throw unknown(name, Object.keys(templates).toSorted());
  const source = templates[name];
  const read =
    typeof source === "string" ? readInjectionTemplate(source, expressions) : { template: compileTemplate(source) };
  if ("problem" in read) throw broken(name, read.problem);
  ready.set(name, read.template);
  return read.template;
}

function unknown(name: string, there: readonly string[]): InjectionError {
  return errorOf("MSH0503", { template: name, known: there.join(", "), nearest: nearest(name, there) ?? "" }, {});
}

function broken(template: string, { code, line, problem }: TemplateProblem): InjectionError {
  const place = { template, line };
  return code === "MSH0501"
    ? errorOf(code, { ...place, action: problem }, place)
    : errorOf(code, { ...place, problem }, place);
}

type Code = keyof typeof injectionCodes;
type ArgsOf<C extends Code> = Parameters<(typeof injectionCodes)[C]["message"]>[0];

function errorOf<C extends Code>(
  code: C,
  args: ArgsOf<C>,
  place: { template?: string; line?: number },
): InjectionError {
  const { message, hint } = injectionCodes[code] as unknown as {
    message: (of: ArgsOf<C>) => string;
    hint: (of: ArgsOf<C>) => string;
  };
  return new InjectionError(`${message(args)} (${code})`, { ...place, hint: hint(args) });
}

function textOf(source: unknown): string {
  return typeof source === "string" ? source : "";
}
