import type { CommandSpec, OptionSpec } from "./types.ts";

const files: OptionSpec = {
  flags: "-f, --filename <file>",
  summary: "file, directory, pattern or - that the mesh is read from",
  repeatable: true,
};

/** Commands that run the control plane's generator on files, without a cluster. */
export const offlineCommands: readonly CommandSpec[] = [
  {
    name: "translate",
    summary: "What the control plane makes of files: its own form, or what Envoy is sent",
    args: [{ flags: "[files...]", summary: "YAML or JSON files, directories, or - for stdin" }],
    options: [
      files,
      { flags: "--to <form>", summary: "form to print", default: "xds", choices: ["ir", "xds"] },
      {
        flags: "--proxy <pod>",
        summary: "only this proxy: a pod or workload, as name or name.namespace; default: all",
        repeatable: true,
        complete: "workload",
      },
      { flags: "-o, --output <format>", summary: "how to print", default: "yaml", choices: ["json", "yaml"] },
    ],
    examples: [
      { line: "meshctl translate -f mesh/ --proxy web.shop", summary: "what the sidecar of workload web is sent" },
      { line: "meshctl translate -f mesh/ --to ir -o json", summary: "the same before it is put into Envoy's words" },
    ],
    load: async () => (await import("../commands/translate.ts")).run,
  },
];
