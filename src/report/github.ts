import { hintOf, messageOf } from "../diagnostics/codes.ts";
import type { Finding, Level } from "../diagnostics/finding.ts";
import type { Reporter } from "./context.ts";
import { leftOutLines } from "./summary.ts";
import { inFile, originOf, placeText } from "./words.ts";

/**
 * Workflow commands of GitHub Actions, which become annotations of the changed lines
 * (https://docs.github.com/actions/reference/workflow-commands-for-github-actions). What a user wrote cannot begin a command: line
 * ends and the characters that end a property are escaped.
 */
export const github: Reporter = (findings, { summary }) =>
  [...findings.map(command), ...leftOutLines(summary).map((line) => `::notice title=meshctl::${data(line)}`)]
    .map((line) => `${line}\n`)
    .join("");

const COMMANDS: Readonly<Record<Level, string>> = { Error: "error", Warning: "warning", Info: "notice" };

function command(found: Finding): string {
  const { code, level, object, position, related = [] } = found;
  const place = inFile(position) ? `file=${property(position.file)},line=${position.line},col=${position.column},` : "";
  const title = property([code, originOf(object)].filter((part) => part !== "").join(" "));
  const lines = [
    messageOf(found),
    ...related.map((other) => `${other.words}: ${originOf(other.object)} ${placeText(other.position)}`.trimEnd()),
    hintOf(found) ?? "",
  ].filter((line) => line !== "");
  return `::${COMMANDS[level]} ${place}title=${title}::${data(lines.join("\n"))}`;
}

function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
