import type { ReferenceFlag } from "../../src/commands/reference.ts";

/** `-o, --output <format>` */
export function flagText({ name, short, value, valueOptional }: ReferenceFlag): string {
  const words = value === undefined ? "" : valueOptional === true ? ` [${value}]` : ` <${value}>`;
  return `${short === undefined ? "" : `${short}, `}${name}${words}`;
}

/** The summary with choices, default and how often. */
export function aboutFlag({ summary, choices, default: fallback, repeatable }: ReferenceFlag): string {
  const more = [
    ...(choices === undefined ? [] : [`one of ${choices.join(", ")}`]),
    ...(repeatable === true ? ["may be given several times"] : []),
    ...(fallback === undefined ? [] : [`default ${fallback}`]),
  ].filter((words) => !summary.includes(words));
  return more.length === 0 ? summary : `${summary} (${more.join("; ")})`;
}
