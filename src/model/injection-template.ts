import { compileTemplate, type CompileExpression, type Template, TemplateError } from "../base/template.ts";
import { parseYaml } from "../resources/yaml-plain.ts";
import { YamlSyntaxError } from "../resources/yaml-values.ts";

/** What the holes of an injection template can name (docs/internals/injection-templates.md says what each is). */
export const TEMPLATE_NAMES = [
  "annotations",
  "app",
  "caAddress",
  "capture",
  "defaults",
  "env",
  "image",
  "imagePullSecrets",
  "labels",
  "log",
  "meshConfig",
  "meshId",
  "meta",
  "mounts",
  "namespace",
  "native",
  "pod",
  "probes",
  "proxy",
  "proxyConfig",
  "proxyConfigJson",
  "proxyMetadataEnv",
  "resources",
  "revision",
  "security",
  "trustDomain",
  "values",
  "volumes",
  "workload",
] as const;

/** Why an injection template cannot be used, with the line of its text, from 1; 0 when it is not known. */
export interface TemplateProblem {
  readonly code: "MSH0501" | "MSH0502";
  readonly line: number;
  /** What is wrong; for MSH0501 the action of the Go template. */
  readonly problem: string;
}

/** A template ready to be filled, or why it is none. */
export type ReadTemplate = { readonly template: Template } | { readonly problem: TemplateProblem };

/** Reads the text of an injection template: YAML with holes (base/template.ts). Expressions need their language. */
export function readInjectionTemplate(text: string, expressions: CompileExpression | undefined): ReadTemplate {
  const action = goAction(text);
  if (action !== undefined) return { problem: { code: "MSH0501", ...action } };
  try {
    return { template: compileTemplate(parseYaml(text) ?? {}, { expressions, names: TEMPLATE_NAMES }) };
  } catch (error) {
    return { problem: problemOf(error, text) };
  }
}

/** Whether a template has an expression, `${{ }}`, outside of comments: then its language has to be loaded. */
export function hasExpressions(text: string): boolean {
  return /^[^#\n]*\$\{\{/m.test(text);
}

/** What an error of reading or filling a template says of its text. Errors of other kinds are thrown on. */
export function problemOf(error: unknown, text: string): TemplateProblem {
  if (error instanceof YamlSyntaxError)
    return { code: "MSH0502", line: error.line, problem: `cannot be read as YAML: ${error.message}` };
  if (!(error instanceof TemplateError)) throw error;
  return { code: "MSH0502", line: lineOf(text, error.hole), problem: error.message };
}

function lineOf(text: string, part: string | undefined): number {
  const at = part === undefined ? -1 : text.indexOf(part);
  return at < 0 ? 0 : text.slice(0, at).split("\n").length;
}

/** The first action of Go's template language; `${{` is ours. */
function goAction(text: string): { readonly line: number; readonly problem: string } | undefined {
  const lines = text.split("\n");
  const index = lines.findIndex((line) => !line.trimStart().startsWith("#") && /(^|[^$])\{\{/.test(line));
  if (index < 0) return undefined;
  const action = /(?:^|[^$])(\{\{.*?(?:\}\}|$))/.exec(lines[index] ?? "")?.[1] ?? "{{";
  return { line: index + 1, problem: action };
}
