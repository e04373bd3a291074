import type { CommandSpec } from "./types.ts";

/** Commands about the mesh's configuration: files and what is in the cluster. */
export const configCommands: readonly CommandSpec[] = [
  {
    name: "analyze",
    summary: "Find mistakes in the mesh's configuration: in files, in the cluster, or in files on top of the cluster",
    args: [{ flags: "[files...]", summary: "YAML or JSON files, directories, or - for stdin; none: the cluster" }],
    options: [
      { flags: "-f, --filename <file>", summary: "file, directory or - to analyze", repeatable: true },
      {
        flags: "-k, --use-kube [bool]",
        summary: "read the cluster too; with files, by default when it can be reached (--use-kube=false: never)",
      },
      { flags: "--offline", summary: "never open a kubeconfig; same as --use-kube=false", default: false },
      { flags: "-A, --all-namespaces", summary: "report on every namespace of the cluster", default: false },
      { flags: "-R, --recursive", summary: "directories are always read recursively", default: true, hidden: true },
      {
        flags: "--failure-threshold <level>",
        summary: "exit with 1 from this level on",
        default: "Error",
        choices: ["Info", "Warning", "Error"],
      },
      {
        flags: "-o, --output <format>",
        summary: "how to print",
        default: "text",
        choices: ["text", "log", "json", "yaml"],
      },
    ],
    examples: [
      { line: "meshctl analyze samples/", summary: "check a directory, on top of the cluster when there is one" },
      { line: "meshctl analyze --offline -o json mesh.yaml", summary: "check a file alone, for programs" },
      { line: "meshctl analyze -A", summary: "check the whole cluster" },
    ],
    load: async () => (await import("../commands/analyze.ts")).run,
  },
  {
    name: "validate",
    aliases: ["v"],
    summary: "Check objects in files one by one, as the control plane does when they are applied",
    args: [{ flags: "[files...]", summary: "YAML or JSON files, directories, or - for stdin" }],
    options: [
      { flags: "-f, --filename <file>", summary: "file, directory, pattern or - to validate", repeatable: true },
      {
        flags: "-o, --output <format>",
        summary:
          "text, log, json, yaml, sarif, junit, github, gitlab or markdown; FORMAT=FILE writes a file; may be given several times",
        repeatable: true,
      },
      { flags: "-r, --recursive", summary: "directories are always read recursively", default: true, hidden: true },
      { flags: "-x, --referential", summary: "relations between objects are what analyze checks", hidden: true },
    ],
    examples: [
      { line: "meshctl validate -f mesh.yaml", summary: "check a file before applying it; needs no cluster" },
      {
        line: "meshctl validate mesh/ -o text -o sarif=mesh.sarif",
        summary: "a directory, for people and for code scanning",
      },
    ],
    load: async () => (await import("../commands/validate.ts")).run,
  },
];
