import type { Outcome } from "../../scripts/scenario/context.ts";
import { root } from "../../scripts/scenario/context.ts";
import { main } from "../../src/cli.ts";

/** Runs meshctl against a cluster in this process: for what is asked so often that a program for each would keep the machine busy. */
export async function meshctlHere(kubeconfig: string, words: readonly string[]): Promise<Outcome> {
  const texts = { stdout: "", stderr: "" };
  const code = await main([...words], {
    out: (text) => void (texts.stdout += text),
    err: (text) => void (texts.stderr += text),
    env: { ...process.env, KUBECONFIG: kubeconfig },
    cwd: root,
    isTTY: false,
    columns: 80,
    now: () => new Date(),
    readStdin: () => Promise.resolve(""),
    signal: new AbortController().signal,
  });
  return { code, ...texts };
}
