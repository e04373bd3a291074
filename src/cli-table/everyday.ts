import { type CommandSpec, clusterOptions } from "./types.ts";

/** Commands about meshctl itself. */
export const everydayCommands: readonly CommandSpec[] = [
  {
    name: "bug-report",
    summary: "Collect what explains how a mesh stands into one file, on which every read-only command runs",
    options: [
      { flags: "--output-dir <folder>", summary: "where bug-report.tar.gz is written; default: here" },
      {
        flags: "--include <namespace>",
        summary: "only this namespace, or several separated by commas",
        repeatable: true,
      },
      { flags: "--exclude <namespace>", summary: "all namespaces but this", repeatable: true },
      { flags: "--tail <count>", summary: "lines of each log", default: "1000" },
      { flags: "--duration <duration>", summary: "of logs only what is younger" },
      {
        flags: "--max-size <number>",
        summary: "megabytes before compression; what does not fit is named",
        default: "200",
      },
      { flags: "--timeout <duration>", summary: "how long to collect; what is there by then is kept", default: "5m" },
      { flags: "--dry-run", summary: "say what would be collected", default: false },
      ...clusterOptions,
    ],
    examples: [
      { line: "meshctl bug-report", summary: "bug-report.tar.gz with an index page, without secrets" },
      {
        line: "meshctl bug-report --include shop,payments --timeout 1m",
        summary: "two namespaces and the control plane, in a minute",
      },
    ],
    load: async () => (await import("../commands/bug-report.ts")).run,
  },
  {
    name: "completion",
    summary: "Print the script that lets a shell complete commands, flags and what is in the cluster",
    args: [{ flags: "<shell>", summary: "bash, zsh or fish", complete: ["bash", "fish", "zsh"] }],
    options: [],
    examples: [
      {
        line: "meshctl completion bash > ~/.local/share/bash-completion/completions/meshctl",
        summary: "for bash, at its next start",
      },
      { line: 'meshctl completion zsh > "${fpath[1]}/_meshctl"', summary: "for zsh, at its next start" },
      { line: "meshctl completion fish > ~/.config/fish/completions/meshctl.fish", summary: "for fish" },
    ],
    load: async () => (await import("../commands/completion.ts")).run,
  },
  {
    name: "reference",
    summary: "Print every command with its arguments, flags and examples, for programs",
    args: [{ flags: "[command...]", summary: "only this command and those below it" }],
    options: [{ flags: "-o, --output <format>", summary: "how to print", default: "json", choices: ["json", "yaml"] }],
    examples: [
      { line: "meshctl reference", summary: "all there is, as docs/reference/commands.json has it" },
      { line: "meshctl reference proxy-config -o yaml", summary: "one group of commands" },
    ],
    load: async () => (await import("../commands/reference.ts")).run,
  },
  {
    name: "version",
    summary: "Versions of this program, of the control plane and of every proxy",
    options: [
      {
        flags: "-o, --output <format>",
        summary: "how to print",
        default: "text",
        choices: ["text", "json", "yaml"],
      },
      { flags: "-s, --short [bool]", summary: "one line for what agrees; with =false a line for each pod and proxy" },
      { flags: "--remote [bool]", summary: "ask the cluster too; default: when there is a kubeconfig" },
      { flags: "--no-remote", summary: "same as --remote=false" },
      { flags: "-r, --revision <name>", summary: "only this control plane and its proxies" },
    ],
    examples: [
      { line: "meshctl version", summary: "client, and what runs when there is a kubeconfig" },
      { line: "meshctl version --remote=false", summary: "this program alone" },
      { line: "meshctl version --short=false", summary: "every pod of the control plane and every proxy" },
    ],
    load: async () => (await import("../commands/version.ts")).run,
  },
];
