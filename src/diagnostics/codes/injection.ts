import { code } from "./code.ts";

/** Codes MSH0500-MSH0599: injection. */
export const injectionCodes = {
  MSH0501: code<{ template: string; line: number; action: string }>({
    name: "GoTemplate",
    level: "Error",
    summary: "An injection template is written in Go's template language.",
    message: ({ template, line, action }) =>
      `injection template "${template}", line ${line}: ${action} is Go's template language, which is not run here`,
    hint: () =>
      "Write it as YAML with holes: ${labels.app} for a value, $when for a condition, $splice for a list, ${{ … }} for a CEL expression; docs/guides/injection-templates.md shows how to port one.",
  }),
  MSH0502: code<{ template: string; line: number; problem: string }>({
    name: "BrokenInjectionTemplate",
    level: "Error",
    summary: "An injection template cannot be read or filled.",
    message: ({ template, line, problem }) =>
      line === 0
        ? `injection template "${template}": ${problem}`
        : `injection template "${template}", line ${line}: ${problem}`,
    hint: () => "Correct it; docs/internals/injection-templates.md lists what a template can say.",
  }),
  MSH0503: code<{ template: string; known: string; nearest: string }>({
    name: "UnknownInjectionTemplate",
    level: "Error",
    summary: "An injection template is asked for that there is not.",
    message: ({ template, known }) => `there is no injection template "${template}", only ${known}`,
    hint: ({ nearest }) =>
      nearest === ""
        ? "Correct the name, or add the template to the injector's configuration."
        : `Did you mean ${nearest}?`,
  }),
} as const;
