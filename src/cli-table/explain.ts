import type { CommandSpec } from "./types.ts";

/** The command that says what kinds, fields and codes mean. */
export const explainCommands: readonly CommandSpec[] = [
  {
    name: "explain",
    summary: "What a kind, a field, a configuration or a code means; without a name: what there is",
    args: [
      {
        flags: "[name]",
        summary: "KIND[.field]…, a configuration such as MeshConfig, or a code such as IST0101",
        complete: "explain",
      },
    ],
    options: [
      {
        flags: "-o, --output <format>",
        summary: "how to print",
        default: "text",
        choices: ["text", "json", "yaml"],
      },
    ],
    examples: [
      { line: "meshctl explain vs.http.match", summary: "fields of a match, by the short name of VirtualService" },
      { line: "meshctl explain gtw.listeners.tls", summary: "the same for Gateway API's Gateway" },
      { line: "meshctl explain MeshConfig.defaultConfig", summary: "settings of proxies" },
      { line: "meshctl explain IST0101", summary: "a code, with an example of what is wrong and how to mend it" },
    ],
    load: async () => (await import("../commands/explain.ts")).run,
  },
];
