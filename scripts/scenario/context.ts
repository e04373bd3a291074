import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openCluster } from "../../src/kube/cluster.ts";
import type { Cluster } from "../../src/resources/cluster.ts";

/** The repository's root. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** What a command printed, and how it ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Everything a step of the scenario may use. The steps do not know what kind of cluster they run on: the demo hands them the
 * embedded one, the node test a real one.
 */
export interface Scenario {
  readonly kubeconfig: string;
  readonly cluster: Cluster;
  /** A folder for files that steps write, beside the kubeconfig: it goes with the cluster even when nobody closes the scenario. */
  readonly work: string;
  /** True when `kubectl` is on PATH: then steps run the line they print, else they go through the API. */
  readonly kubectl: boolean;
  /** Runs the built meshctl against this cluster and prints the line. `expect` is the exit code that is right, 0 unless given. */
  meshctl(args: readonly string[], options?: { expect?: number | "any"; quiet?: boolean }): Promise<Outcome>;
  say(text: string): void;
}

/** A step saw something else than it must see. */
export class NotTrue extends Error {}

/** Ends the step unless `condition` holds; `words` say what was expected and what was seen. */
export function must(condition: boolean, words: string): asserts condition {
  if (!condition) throw new NotTrue(words);
}

/** Opens a scenario on the cluster of a kubeconfig. Close it with `close`. `kubectl: false` goes through the API even where it is. */
export async function openScenario(
  kubeconfig: string,
  say: (text: string) => void,
  options: { readonly kubectl?: boolean } = {},
): Promise<Scenario & { close(): Promise<void> }> {
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  const cluster = await openCluster({ kubeconfig, env, cwd: root });
  const work = await mkdtemp(join(dirname(kubeconfig), "scenario-"));
  return {
    kubeconfig,
    cluster,
    work,
    kubectl: options.kubectl !== false && (await hasKubectl()),
    say,
    meshctl: async (args, options = {}) => {
      say(`$ meshctl ${args.join(" ")}`);
      const outcome = await runMeshctl(args, env, options.quiet === true ? undefined : say);
      const expected = options.expect ?? 0;
      must(
        expected === "any" || outcome.code === expected,
        `meshctl ${args.join(" ")} ended with exit code ${outcome.code}, expected ${expected}\n${outcome.stdout}${outcome.stderr}`,
      );
      return outcome;
    },
    close: () => rm(work, { recursive: true, force: true }),
  };
}

/** Runs bin/meshctl.js; each line it prints goes to `line` as it comes. */
export function runMeshctl(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  line?: (text: string) => void,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, "bin/meshctl.js"), ...args], {
      cwd: root,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const texts = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      let rest = "";
      child[name].setEncoding("utf8").on("data", (chunk: string) => {
        texts[name] += chunk;
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const text of lines) line?.(`  ${text}`);
      });
      child[name].on("end", () => {
        if (rest !== "") line?.(`  ${rest}`);
      });
    }
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 128, ...texts }));
  });
}

function hasKubectl(): Promise<boolean> {
  return new Promise((resolve) => {
    execFile("kubectl", ["version", "--client"], (error) => resolve(error === null));
  });
}
