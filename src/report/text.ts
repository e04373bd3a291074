import { hintOf, messageOf } from "../diagnostics/codes.ts";
import type { Finding, SourcePosition } from "../diagnostics/finding.ts";
import { type Colours, createColours } from "./colours.ts";
import type { ReportContext, Reporter } from "./context.ts";
import { log, painted } from "./log.ts";
import { oneLine, originOf, placeText } from "./words.ts";

/**
 * For people. On a terminal: findings by file, each with its line of the source and a caret, the other places it is about in the
 * same way, and what to do. Elsewhere: the lines of `log`, which scripts know from istioctl.
 */
export const text: Reporter = (findings, context) => {
  if (!context.terminal) return log(findings, context);
  const colours = createColours(context);
  const groups = new Map<string, Finding[]>();
  for (const found of findings) {
    const place = found.position?.file ?? "";
    const group = groups.get(place);
    if (group === undefined) groups.set(place, [found]);
    else group.push(found);
  }
  return [...groups].map(([file, group]) => groupText(file, group, { context, colours })).join("\n");
};

interface Screen {
  readonly context: ReportContext;
  readonly colours: Colours;
}

function groupText(file: string, findings: readonly Finding[], screen: Screen): string {
  const head = file === "" ? [] : [screen.colours.bold(file)];
  return `${[...head, ...findings.flatMap((found) => findingLines(found, screen))].join("\n")}\n`;
}

function findingLines(found: Finding, screen: Screen): readonly string[] {
  const { colours } = screen;
  const cluster = found.cluster === undefined ? "" : ` [${found.cluster}]`;
  const place = found.position === undefined ? "" : `${found.position.line}:${found.position.column}  `;
  const origin = found.object === undefined ? "" : ` ${colours.dim(originOf(found.object))}`;
  const hint = hintOf(found);
  return [
    `  ${place}${painted(found.level, colours)} [${found.code}]${cluster}${origin} ${oneLine(messageOf(found))}`,
    ...excerpt(found.position, screen),
    ...(found.related ?? []).flatMap((related) => [
      `    ${related.words}: ${colours.dim([originOf(related.object), placeText(related.position)].filter((part) => part !== "").join(" "))}`,
      ...excerpt(related.position, screen),
    ]),
    ...(hint === undefined ? [] : [`    ${colours.dim(oneLine(hint))}`]),
  ];
}

/** Lines longer than this are cut around the place: a line of JSON may hold a whole object. */
const WIDEST = 120;

function excerpt(position: SourcePosition | undefined, { context, colours }: Screen): readonly string[] {
  const source = position === undefined ? undefined : context.sourceLine(position);
  // tabs stay: the caret below counts on them
  const line = source?.replaceAll(/(?!\t)\p{Cc}/gu, " ");
  if (position === undefined || line === undefined) return [];
  const number = String(position.line);
  const from = line.length <= WIDEST ? 0 : Math.max(0, position.column - WIDEST / 2);
  const shown = `${from > 0 ? "…" : ""}${line.slice(from, from + WIDEST)}${from + WIDEST < line.length ? "…" : ""}`;
  // tabs before the place stay tabs, so that the caret stands below it
  const before = shown.slice(0, position.column - 1 - from + (from > 0 ? 1 : 0)).replaceAll(/[^\t]/g, " ");
  const margin = " ".repeat(number.length);
  return [
    `    ${colours.dim(`${number} |`)} ${shown}`,
    `    ${colours.dim(`${margin} |`)} ${before}${colours.redBright("^")}`,
  ];
}
