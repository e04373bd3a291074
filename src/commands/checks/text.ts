import type { Check, CheckResult } from "../../checks/check.ts";
import { type Colours, createColours } from "../../report/colours.ts";
import type { Io } from "../io.ts";

const MARKS = { ok: "✔", warning: "‼", error: "✘", skipped: "-" } as const;

/** Colours of stdout. */
export function coloursOf({ isTTY, env }: Pick<Io, "isTTY" | "env">): Colours {
  return createColours({ terminal: isTTY, env });
}

const PLAIN = createColours({ terminal: false, env: {} });

/** Checks as lines under their categories; what to do below each that does not hold. */
export function checkText(checks: readonly CheckResult[], colours: Colours = PLAIN): string {
  return byCategory(checks)
    .map(([title, own]) =>
      block(
        title,
        own.flatMap((check) => checkLines(check, colours)),
        colours,
      ),
    )
    .join("");
}

/** A line per category in which all holds; of the others only what does not hold. */
export function briefText(checks: readonly CheckResult[], colours: Colours = PLAIN): string {
  return byCategory(checks)
    .map(([title, own]) => {
      const bad = own.filter(({ status }) => status === "error" || status === "warning");
      const held = own.filter(({ status }) => status === "ok").length;
      const rest = own.length - held - bad.length;
      const asked = held + bad.length;
      const parts = [...(asked === 0 ? [] : [`${held} of ${asked} hold`]), ...(rest === 0 ? [] : [`${rest} skipped`])];
      const words = `${title}: ${parts.join(", ")}`;
      if (bad.length === 0) return `${asked === 0 ? MARKS.skipped : colours.green(MARKS.ok)} ${words}\n`;
      const worst = bad.some(({ status }) => status === "error") ? "error" : "warning";
      const lines = bad.flatMap((check) => checkLines(check, colours)).map((line) => `    ${line}\n`);
      return `${mark(worst, colours)} ${words}\n${lines.join("")}`;
    })
    .join("");
}

/** What there is to check, by category. */
export function listText(checks: readonly Check[]): string {
  return byCategory(checks)
    .map(([title, own]) =>
      block(
        title,
        own.map(({ name, affirmation }) => `${name}: ${affirmation}`),
        PLAIN,
      ),
    )
    .join("");
}

function block(title: string, lines: readonly string[], colours: Colours): string {
  return `${colours.bold(title)}\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

function checkLines({ status, affirmation, message, hint, page }: CheckResult, colours: Colours): string[] {
  const line = `${mark(status, colours)} ${affirmation}`;
  if (status === "ok" || status === "skipped")
    return [message === undefined ? line : `${line} ${colours.dim(`(${message})`)}`];
  return [
    line,
    `    ${message ?? ""}`,
    ...(hint === undefined ? [] : [`    ${hint}`]),
    ...(page === undefined ? [] : [`    ${colours.dim(`see ${page}`)}`]),
  ];
}

function mark(status: CheckResult["status"], colours: Colours): string {
  const paint = { ok: colours.green, warning: colours.yellow, error: colours.redBright, skipped: colours.dim }[status];
  return paint(MARKS[status]);
}

function byCategory<T extends { readonly category: string }>(checks: readonly T[]): readonly [string, readonly T[]][] {
  const titles = [...new Set(checks.map(({ category }) => category))];
  return titles.map((title) => [title, checks.filter(({ category }) => category === title)]);
}
