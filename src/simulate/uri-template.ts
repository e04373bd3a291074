import { fullMatch } from "./string-match.ts";

/** What a segment may consist of; `*` itself is none of it. */
const LETTERS = "a-zA-Z0-9\\-._~%!$&'()+,;:@=";

/** Envoy's UriTemplateMatch: `*` is one segment, `**` any number of them (none too), the rest stands for itself. */
export function templateMatches(template: string, path: string): boolean {
  const regex = template
    .split(/(\*{1,2})/)
    .map((part) => {
      if (part === "*") return `[${LETTERS}]+`;
      return part === "**" ? `[${LETTERS}/]*` : part.replaceAll(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`);
    })
    .join("");
  return fullMatch(regex, path);
}
