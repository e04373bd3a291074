import type { FieldPath } from "../../diagnostics/finding.ts";
import type { Report } from "../rule.ts";

// RFC 9110, section 5.6.2: what a token may consist of
const TOKEN = /^[!#$%&'*+\-.^_`|~A-Za-z0-9]+$/;

/** What is wrong with the name of a header, or undefined. */
export function headerNameProblem(name: string): string | undefined {
  if (name === "") return "expected the name of a header, got an empty one";
  return TOKEN.test(name) ? undefined : `"${name}" is no name of a header`;
}

/** True for names of the header that says which host is meant. */
export function isAuthority(name: string): boolean {
  const lower = name.toLowerCase();
  return lower === ":authority" || lower === "host";
}

/** Reports a header that cannot be changed. `authority`: the host may be. */
export function checkChangedHeader(
  name: string,
  path: FieldPath,
  report: Report,
  authority: "authority" | "no authority",
): void {
  if (name === "") report(path, "expected the name of a header, got an empty one", "Write the name of the header.");
  else if (isAuthority(name) ? authority === "no authority" : name.startsWith(":"))
    report(path, `header ${name} cannot be changed here`, "Use rewrite for host and path.");
}

/** Reports a value of a header that proxies refuse: control characters, or a `%` that starts no placeholder. */
export function checkHeaderValue(value: string, path: FieldPath, report: Report): void {
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  if (/[\u0000-\u0008\u000A-\u001F\u007F]/.test(value)) report(path, "a header's value has no control characters");
  if (!hasSoundPlaceholders(value))
    report(path, `"${value}" has a % that starts no placeholder such as %HOSTNAME%`, "Write %% for the sign itself.");
}

/** Whether each `%` is doubled, or around a placeholder: `%NAME%`, `%NAME(arguments)%`, `%NAME(arguments):LENGTH%`. */
function hasSoundPlaceholders(value: string): boolean {
  for (let at = value.indexOf("%"); at !== -1; at = value.indexOf("%", at)) {
    const name = /[%()\s]/g;
    name.lastIndex = at + 1;
    const stop = name.exec(value);
    if (stop === null) return false;
    let end = stop.index;
    if (value[end] === "(") {
      const closing = value.indexOf(")", end);
      if (closing === -1) return false;
      const rest = /\)(?:\s*|:\d+)%/y;
      rest.lastIndex = closing;
      if (!rest.test(value)) return false;
      end = rest.lastIndex - 1;
    }
    if (value[end] !== "%") return false;
    at = end + 1;
  }
  return true;
}
