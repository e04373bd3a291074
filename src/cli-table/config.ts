import { type CommandSpec, clusterOptions } from "./types.ts";

/** Names of reports: src/report/index.ts has them. */
const REPORTS = ["text", "log", "json", "yaml", "sarif", "junit", "github", "gitlab", "markdown"];

/** Commands about the mesh's configuration: files and what is in the cluster. */
export const configCommands: readonly CommandSpec[] = [
  {
    name: "analyze",
    summary: "Find mistakes in the mesh's configuration: in files, in the cluster, or in files on top of the cluster",
    args: [{ flags: "[files...]", summary: "YAML or JSON files, directories, or - for stdin; none: the cluster" }],
    options: [
      { flags: "-f, --filename <file>", summary: "file, directory, pattern or - to analyze", repeatable: true },
      {
        flags: "-k, --use-kube [bool]",
        summary: "read the cluster too; with files, by default when it can be reached (--use-kube=false: never)",
      },
      { flags: "--offline", summary: "never open a kubeconfig; same as --use-kube=false", default: false },
      { flags: "--only-files", summary: "same as --offline", default: false },
      {
        flags: "--complete",
        summary: "the files are the whole mesh: what is not there does not exist",
        default: false,
      },
      { flags: "-A, --all-namespaces", summary: "report on every namespace of the cluster", default: false },
      ...clusterOptions,
      { flags: "--timeout <duration>", summary: "skip what is not done by then, and say so", default: "5m" },
      { flags: "-r, --revision <name>", summary: "only what this revision of the control plane reads" },
      { flags: "--meshConfigFile <file>", summary: "mesh configuration in place of the mesh's own" },
      {
        flags: "--cluster-domain <domain>",
        summary: "DNS suffix of the cluster; default: as the control plane has it",
      },
      { flags: "-R, --recursive", summary: "directories are always read recursively", default: true, hidden: true },
      {
        flags: "--ignore-unknown",
        summary: "say nothing of documents that cannot be read or are no objects",
        default: false,
      },
      { flags: "-L, --list-analyzers", summary: "list the analyzers and end", default: false },
      { flags: "--analyzer <name>", summary: "run only this analyzer (our name, or istioctl's)", repeatable: true },
      {
        flags: "--profile <name>",
        summary: "run these checks too: security",
        repeatable: true,
        complete: ["security"],
      },
      {
        flags: "--checks <name>",
        summary: "same as --profile",
        repeatable: true,
        hidden: true,
        complete: ["security"],
      },
      {
        flags: "-S, --suppress <rule>",
        summary: "do not tell of CODE, or of CODE='Kind namespace/name' (* for any text)",
        repeatable: true,
      },
      { flags: "--baseline <file>", summary: "findings in this file are known and do not count" },
      {
        flags: "--write-baseline",
        summary: "write the findings there are to the baseline (default: .meshctl-baseline.json)",
        default: false,
      },
      { flags: "--new-since <revision>", summary: "only findings that the files at a git revision did not have" },
      { flags: "--watch", summary: "analyze again whenever a file changes", default: false },
      { flags: "--live-status", summary: "what the control plane itself finds in what it holds", default: false },
      { flags: "--config <file>", summary: "project file; default: the nearest .meshctl.yaml of the repository" },
      { flags: "--no-config", summary: "read no project file" },
      {
        flags: "--failure-threshold <level>",
        summary: "exit with 1 from this level on: Info, Warning or Error (default: Error)",
      },
      { flags: "--output-threshold <level>", summary: "print only findings of this level and above (default: Info)" },
      { flags: "--strict", summary: "exit with 1 when an analyzer had to be skipped", default: false },
      {
        flags: "-o, --output <format>",
        summary:
          "text, log, json, yaml, sarif, junit, github, gitlab or markdown; FORMAT=FILE writes a file; may be given several times",
        complete: REPORTS,
        repeatable: true,
      },
      { flags: "--color [bool]", summary: "colours; default: on a terminal" },
      { flags: "-v, --verbose", summary: "tell what was analyzed, and by which analyzers", default: false },
    ],
    examples: [
      { line: "meshctl analyze samples/", summary: "check a directory, on top of the cluster when there is one" },
      { line: "meshctl analyze --offline -o json mesh.yaml", summary: "check a file alone, for programs" },
      {
        line: "meshctl analyze --offline mesh/ -o text -o sarif=mesh.sarif",
        summary: "for people and for code scanning",
      },
      { line: "meshctl analyze --offline mesh/ --new-since main", summary: "what a pull request brings" },
      { line: "meshctl analyze -A", summary: "check the whole cluster" },
    ],
    load: async () => (await import("../commands/analyze.ts")).run,
  },
  {
    name: "fix",
    summary: "Repair mistakes that have one right answer, in place, keeping comments and style",
    args: [{ flags: "[files...]", summary: "YAML or JSON files, directories, or - for stdin" }],
    options: [
      { flags: "-f, --filename <file>", summary: "file, directory, pattern or - to repair", repeatable: true },
      {
        flags: "--dry-run",
        summary: "print the changes as a diff and write nothing; exit with 1 when there are any",
        default: false,
      },
    ],
    examples: [
      { line: "meshctl fix --dry-run -f mesh/", summary: "see what would change" },
      { line: "meshctl fix -f mesh/", summary: "change it" },
    ],
    load: async () => (await import("../commands/fix.ts")).run,
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
        complete: REPORTS,
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
