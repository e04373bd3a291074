import { hintOf, messageOf } from "../diagnostics/codes.ts";
import type { Finding, Level } from "../diagnostics/finding.ts";
import { type Colours, createColours } from "./colours.ts";
import type { Reporter } from "./context.ts";
import { oneLine, originOf, placeText } from "./words.ts";

/**
 * A line per finding as istioctl writes it, with the column added: `Level [CODE] (Kind ns/name file:line:column) message`, then
 * indented what to do and the other places it is about.
 */
export const log: Reporter = (findings, context) => {
  const colours = createColours(context);
  return findings.map((found) => `${logLines(found, colours).join("\n")}\n`).join("");
};

/** How each level is painted, as istioctl does. */
export function painted(level: Level, colours: Colours): string {
  const paint = { Error: colours.redBright, Warning: colours.yellow, Info: colours.plain };
  return paint[level](level);
}

function logLines(found: Finding, colours: Colours): readonly string[] {
  const cluster = found.cluster === undefined ? "" : ` [${found.cluster}]`;
  const where = [originOf(found.object), placeText(found.position)].filter((part) => part !== "").join(" ");
  const hint = hintOf(found);
  return [
    `${painted(found.level, colours)} [${found.code}]${cluster} (${where}) ${oneLine(messageOf(found))}`,
    ...(found.related ?? []).map(
      ({ words, object, position }) =>
        `    ${colours.dim(`${words}: ${[originOf(object), placeText(position)].filter((part) => part !== "").join(" ")}`)}`,
    ),
    ...(hint === undefined ? [] : [`    ${colours.dim(oneLine(hint))}`]),
  ];
}
