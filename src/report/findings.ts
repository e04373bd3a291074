import { documentationOf, hintOf, messageOf } from "../diagnostics/codes.ts";
import type { Finding, Level, ObjectRef, SourcePosition } from "../diagnostics/finding.ts";
import { createColours } from "./colours.ts";

/** What a reporter may use besides the findings. */
export interface ReportContext {
  /** Colours, and lines of the source with a caret. */
  readonly terminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The line of a file as it stands there, for the excerpt. */
  readonly sourceLine: (position: SourcePosition) => string | undefined;
}

/** Findings as text, for stdout. */
export type Reporter = (findings: readonly Finding[], context: ReportContext) => string;

/**
 * A line per finding as istioctl writes it, with the column added: `Level [CODE] (Kind ns/name file:line:column) message`, and
 * what to do on the line below.
 */
const text: Reporter = (findings, context) => {
  const colours = createColours(context);
  const paint: Readonly<Record<Level, (words: string) => string>> = {
    Error: colours.redBright,
    Warning: colours.yellow,
    Info: colours.plain,
  };
  const parts = findings.map((found) => {
    const where = [originOf(found.object), placeText(found.position)].filter((part) => part !== "").join(" ");
    const lines = [`${paint[found.level](found.level)} [${found.code}] (${where}) ${messageOf(found)}`];
    if (context.terminal) lines.push(...excerpt(found.position, context, colours.dim));
    const hint = hintOf(found);
    if (hint !== undefined) lines.push(`    ${colours.dim(hint)}`);
    return `${lines.join("\n")}\n`;
  });
  return parts.join("");
};

/** istioctl's message objects (code, documentationUrl, level, message, origin, reference) with our fields added. */
const json: Reporter = (findings) => `${JSON.stringify(findings.map(messageObject), null, "\t")}\n`;

/** Reporters by the name that `-o` takes. */
export const reporters = { text, log: text, json } as const satisfies Readonly<Record<string, Reporter>>;

/** One finding as programs get it. */
export interface FindingMessage {
  readonly code: string;
  readonly documentationUrl: string;
  readonly level: Level;
  readonly message: string;
  /** `Kind ns/name` */
  readonly origin?: string;
  /** `file:line` */
  readonly reference?: string;
  readonly hint?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly path: Finding["path"];
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

function messageObject(found: Finding): FindingMessage {
  const { code, level, object, path, position } = found;
  const hint = hintOf(found);
  return {
    code,
    documentationUrl: documentationOf(code),
    level,
    message: messageOf(found),
    ...(object === undefined ? {} : { origin: originOf(object) }),
    ...(position === undefined ? {} : { reference: `${position.file}:${position.line}` }),
    ...(hint === undefined ? {} : { hint }),
    ...object,
    path,
    ...position,
  };
}

function originOf(object: ObjectRef | undefined): string {
  if (object === undefined) return "";
  return object.namespace === ""
    ? `${object.kind} ${object.name}`
    : `${object.kind} ${object.namespace}/${object.name}`;
}

function placeText(position: SourcePosition | undefined): string {
  return position === undefined ? "" : `${position.file}:${position.line}:${position.column}`;
}

function excerpt(
  position: SourcePosition | undefined,
  context: ReportContext,
  dim: (words: string) => string,
): readonly string[] {
  const line = position === undefined ? undefined : context.sourceLine(position);
  if (position === undefined || line === undefined) return [];
  const number = String(position.line);
  // tabs before the place stay tabs, so that the caret stands below it
  const before = line.slice(0, position.column - 1).replaceAll(/[^\t]/g, " ");
  return [`  ${dim(`${number} |`)} ${line}`, `  ${dim(`${" ".repeat(number.length)} |`)} ${before}^`];
}
