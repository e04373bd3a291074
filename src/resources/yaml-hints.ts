import type { YamlSyntaxError } from "./yaml-values.ts";

/** What to do about a syntax error, by words of the reader's reason. */
const HINTS: readonly (readonly [words: string, hint: string])[] = [
  ["tab characters", "Indent with spaces; YAML does not allow tabs there."],
  ["duplicated mapping key", "Remove one of the two; kubectl would keep the last one and say nothing."],
  ["bad indentation", "Check the indentation of this line, and put quotes around values that contain `: `."],
  ["deficient indentation", "Close the bracket or brace that is open before this line, or indent the line."],
  ["flow collection", "Close the bracket or brace that is open."],
  ["null byte", "This is no text: name YAML or JSON files only."],
  ["no number that JSON knows", "Put quotes around it, or use a finite number."],
];

/** What to do about a text that is no YAML. */
export function syntaxHint(error: YamlSyntaxError): string {
  const known = HINTS.find(([words]) => error.message.includes(words))?.[1];
  return known ?? "Repair the text at this place; what is wrong may also stand in the lines before it.";
}
