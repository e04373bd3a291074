import type { CommandSpec } from "./types.ts";

/** Commands about meshctl itself. */
export const everydayCommands: readonly CommandSpec[] = [
  {
    name: "completion",
    summary: "Print the script that lets a shell complete commands, flags and what is in the cluster",
    args: [{ flags: "<shell>", summary: "bash, zsh or fish", complete: ["bash", "fish", "zsh"] }],
    options: [],
    examples: [
      { line: "source <(meshctl completion bash)", summary: "for this shell; put the line into ~/.bashrc for all" },
      { line: 'meshctl completion zsh > "${fpath[1]}/_meshctl"', summary: "for zsh, at its next start" },
      { line: "meshctl completion fish > ~/.config/fish/completions/meshctl.fish", summary: "for fish" },
    ],
    load: async () => (await import("../commands/completion.ts")).run,
  },
];
