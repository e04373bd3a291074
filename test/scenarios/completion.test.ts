import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { lacking, withOurPrograms } from "../support/programs.ts";
import { waitFor } from "../support/wait.ts";

/** Completion as people meet it: real shells on a terminal of their own, keys typed into them. */
const work = mkdtempSync(join(tmpdir(), "meshctl-completion-"));
const PATH = withOurPrograms(join(work, "bin"));
writeFileSync(join(work, "shop mesh.yaml"), "");
writeFileSync(join(work, "kubeconfig"), "contexts: [{ name: kind-shop }, { name: prod:eu }]\n");
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** How a shell starts, and what makes Ctrl-G print the line as it stands. */
const SHELLS = {
  bash: {
    start: "bash --norc --noprofile -i",
    setup: `source <(meshctl completion bash); bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; bind -x '"\\C-g": printf "LINE=[%s]\\n" "$READLINE_LINE"'`,
  },
  zsh: {
    start: "zsh -f -i",
    setup: `autoload -Uz compinit; compinit -D -u; source <(meshctl completion zsh); line() { print -r -- "LINE=[$BUFFER]"; }; zle -N line; bindkey '^G' line; bindkey '^U' kill-whole-line; unsetopt beep auto_list prompt_cr`,
  },
  fish: {
    start: "fish --no-config -i",
    setup: `function fish_prompt; end; meshctl completion fish | source; bind \\cg 'printf "LINE=[%s]\\n" (commandline | string collect)'; bind \\cu 'commandline ""'`,
  },
} as const;

/** A shell on a terminal. `line` types, presses Tab, and gives back what stands there then. */
class Terminal {
  private readonly child: ChildProcess;
  private text = "";
  constructor(start: string) {
    this.child = spawn("script", ["-qec", start, "/dev/null"], {
      cwd: work,
      env: { PATH, HOME: work, TERM: "dumb", LC_ALL: "C.UTF-8", KUBECONFIG: join(work, "kubeconfig") },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (this.text += chunk));
  }
  async run(command: string): Promise<void> {
    // not the letters of the command itself, which the terminal shows too
    this.child.stdin?.write(`${command}; echo rea''dy\r`);
    await waitFor(() => this.text.includes("ready"), { what: `the shell to take ${command}`, timeoutMs: 20_000 });
  }
  async line(typed: string): Promise<string> {
    this.text = "";
    this.child.stdin?.write(`\u0015${typed}\t\u0007`);
    const shown = /LINE=\[(meshctl.*?)\]\r?\n/s;
    await waitFor(() => shown.test(this.text), { what: `${typed} to be completed`, timeoutMs: 20_000 });
    return shown.exec(this.text)?.[1] ?? "";
  }
  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGKILL");
    await ended;
  }
}

const CASES = [
  ["meshctl prec", "meshctl precheck "],
  ["meshctl profile sh", "meshctl profile show "],
  ["meshctl -i mesh profile show prod", "meshctl -i mesh profile show production "],
  ["meshctl analyze --output=sa", "meshctl analyze --output=sarif "],
  ["meshctl install --set meshConfig.accessLogFo", "meshctl install --set meshConfig.accessLogFormat="],
  ["meshctl install --set profile=prod", "meshctl install --set profile=production "],
  ["meshctl explain VirtualService.spec.htt", "meshctl explain VirtualService.spec.http"],
  ["meshctl explain IST010", "meshctl explain IST010"],
  ["meshctl --context kind", "meshctl --context kind-shop "],
  ["meshctl --context prod:", "meshctl --context prod:eu "],
  ["meshctl validate -f shop", "meshctl validate -f shop\\ mesh.yaml "],
  ["meshctl check --category meas", "meshctl check --category measurements "],
  ["meshctl check --category mesh", "meshctl check --category mesh\\ configuration "],
] as const;

describe.each(Object.entries(SHELLS))("%s", (shell, { start, setup }) => {
  const reason = lacking(shell) ?? lacking("script");
  test.skipIf(reason !== undefined)(
    `completes commands, flags, values and files${reason === undefined ? "" : `: ${reason}`}`,
    async () => {
      const terminal = new Terminal(start);
      try {
        await terminal.run(setup);
        const found: string[] = [];
        for (const [typed] of CASES) found.push(await terminal.line(typed));
        // whether a space follows is the shell's taste
        const bare = (line: string): string =>
          line
            .trimEnd()
            .replaceAll(/\\([:=])/g, "$1")
            .replaceAll(/'([^']*)'/g, "$1");
        expect(found.map(bare)).toEqual(CASES.map(([, wanted]) => bare(wanted)));
      } finally {
        await terminal.close();
      }
    },
  );
});
