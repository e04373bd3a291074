import { RE2JS } from "re2js";
import { durationMs } from "../../base/duration.ts";
import type { FieldPath } from "../../diagnostics/finding.ts";
import type { StringMatch } from "../../gen/schema-types.ts";
import type { Report } from "../rule.ts";

/** Longest regular expression that istiod takes. */
const MAX_REGEX = 1024;

/** Expressions that were compiled before: a mesh has few different ones. Emptied when it grows. */
const verdicts = new Map<string, string | undefined>();

/** What RE2 says against a regular expression, or undefined. */
export function regexProblem(regex: string): string | undefined {
  const known = verdicts.get(regex);
  if (known !== undefined || verdicts.has(regex)) return known;
  if (verdicts.size > 2000) verdicts.clear();
  let problem: string | undefined;
  try {
    RE2JS.compile(regex);
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  verdicts.set(regex, problem);
  return problem;
}

/** Reports a regular expression that is empty, too long, or that RE2 refuses. */
export function checkRegex(regex: string, path: FieldPath, report: Report): void {
  if (regex === "") return report(path, "an empty regular expression matches nothing", "Leave the condition out.");
  if (regex.length > MAX_REGEX)
    return report(path, `a regular expression of ${regex.length} characters, at most ${MAX_REGEX} are taken`);
  const problem = regexProblem(regex);
  if (problem !== undefined)
    report(
      path,
      `"${regex}" is no regular expression: ${problem}`,
      "Use RE2 syntax: no look-around, no back-references.",
    );
}

/** Reports what is wrong with a string condition. */
export function checkStringMatch(match: StringMatch | null | undefined, path: FieldPath, report: Report): void {
  if (match?.regex !== undefined) checkRegex(match.regex, [...path, "regex"], report);
  if (match?.prefix === "")
    report([...path, "prefix"], "an empty prefix matches everything", "Leave the condition out.");
}

/**
 * Reports a duration that is shorter than a millisecond or not a whole number of them: the proxy counts in these. `zero`:
 * 0s has a meaning.
 */
export function checkDuration(
  duration: string | undefined,
  path: FieldPath,
  report: Report,
  zero: "zero" | "no zero" = "no zero",
): void {
  if (duration === undefined) return;
  const ms = durationMs(duration);
  if (ms === undefined || (ms === 0 && zero === "zero")) return;
  if (ms < 1)
    return report(path, `expected a duration of at least 1ms, got ${duration}`, "Leave the field out for none.");
  if (Math.abs(ms - Math.round(ms)) > 1e-6)
    report(path, `expected whole milliseconds, got ${duration}`, "Round it: the proxy counts in milliseconds.");
}

/** Reports a share that is not from 0 to 100 percent. */
export function checkPercent(percent: number | null | undefined, path: FieldPath, report: Report): void {
  if (percent !== undefined && percent !== null && (percent < 0 || percent > 100))
    report(path, `expected a percentage from 0 to 100, got ${percent}`);
}

/** Reports a port that is not from 1 to 65535. */
export function checkPort(port: number | undefined, path: FieldPath, report: Report): void {
  if (port !== undefined && (port < 1 || port > 65535)) report(path, `expected a port from 1 to 65535, got ${port}`);
}

/** Reports each member of a list that was there before; `name` gives what has to be unique. */
export function checkUnique<T>(
  list: readonly T[],
  name: (item: T) => string | undefined,
  report: (index: number, text: string, first: number) => void,
): void {
  if (list.length < 2) return;
  const seen = new Map<string, number>();
  for (const [index, item] of list.entries()) {
    const text = name(item);
    if (text === undefined) continue;
    const first = seen.get(text);
    if (first === undefined) seen.set(text, index);
    else report(index, text, first);
  }
}

/** The names of fields that are set, of those given. */
export function setFields<T extends object>(object: T, names: readonly (keyof T & string)[]): readonly string[] {
  return names.filter((name) => object[name] !== undefined && object[name] !== null);
}

/** True for a text that is there and not empty. */
export function isGiven(text: string | undefined): text is string {
  return text !== undefined && text !== "";
}
