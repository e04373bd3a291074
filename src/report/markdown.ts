import { documentationOf, hintOf, messageOf } from "../diagnostics/codes.ts";
import type { Finding, Level } from "../diagnostics/finding.ts";
import type { Reporter } from "./context.ts";
import { counted, summaryLines } from "./summary.ts";
import { countText, originOf, placeText } from "./words.ts";

/**
 * A comment for a pull request: a heading with the counts, a table of findings by weight, and what was left out. Comments are
 * limited to 65,536 characters on GitHub; what does not fit is counted.
 */
export const markdown: Reporter = (findings, { summary }) => {
  const objects = summary?.objects === undefined ? "" : ` in ${counted(summary.objects, "object")}`;
  const head = `### meshctl: ${countText(findings)}${objects}\n`;
  const rows = [...findings].sort((a, b) => WEIGHT[a.level] - WEIGHT[b.level]).map((found) => row(found));
  const shown: string[] = [];
  let size = 0;
  for (const line of rows) {
    size += line.length;
    if (size > MOST) break;
    shown.push(line);
  }
  const table = rows.length === 0 ? "" : `\n| | Where | What |\n| --- | --- | --- |\n${shown.join("")}`;
  const cut = rows.length === shown.length ? [] : [`${counted(rows.length - shown.length, "more finding")}.`];
  const left = [...cut, ...summaryLines(summary)].map((line) => `- ${cell(line)}\n`).join("");
  return `${head}${table}${left === "" ? "" : `\n${left}`}`;
};

const WEIGHT: Readonly<Record<Level, number>> = { Error: 0, Warning: 1, Info: 2 };
const MOST = 60_000;

function row(found: Finding): string {
  const { code, level, object, position, related = [] } = found;
  const url = documentationOf(code);
  const name = url.startsWith("https:") ? `[${code}](${url})` : code;
  const where = [originOf(object), placeText(position)].filter((part) => part !== "").map(codeSpan);
  const what = [
    cell(messageOf(found)),
    ...related.map(
      (other) => `${cell(other.words)}: ${codeSpan(`${originOf(other.object)} ${placeText(other.position)}`.trim())}`,
    ),
    ...(hintOf(found) === undefined ? [] : [`_${cell(hintOf(found) ?? "")}_`]),
  ];
  return `| ${level} ${name} | ${where.join("<br>")} | ${what.join("<br>")} |\n`;
}

/** Text that a user wrote cannot end the cell, begin HTML, a link or a mention. */
function cell(text: string): string {
  return text
    .replaceAll("\\", "\\\\")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(/[`*_[\]|~#@]/g, (character) => (character === "@" ? "@\u200B" : `\\${character}`))
    .replaceAll(/\s+/g, " ");
}

function codeSpan(text: string): string {
  return `\`${text.replaceAll("`", "'").replaceAll("|", "\\|").replaceAll(/\s+/g, " ")}\``;
}
