import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { stateDir } from "../../src/local/state.ts";
import { runMeshctl } from "../scenario/context.ts";

/** A running embedded cluster. */
export interface Embedded {
  readonly name: string;
  readonly kubeconfig: string;
  /** `meshctl down`: no process, port, network namespace, iptables rule or file is left. */
  down(): Promise<void>;
}

interface Options {
  readonly name: string;
  /** The cluster ends when this process does, however that happens; otherwise it goes on in the background. */
  readonly tied: boolean;
  readonly network?: string;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/** `meshctl up`, ready for use. */
export async function startEmbedded(options: Options): Promise<Embedded> {
  // where `up` puts it: everything of the cluster is in one folder, which goes with it
  const kubeconfig = join(stateDir(process.env, options.name), "kubeconfig");
  const network = options.network === undefined ? [] : ["--network", options.network];
  const args = ["up", "--name", options.name, ...network];
  options.say(`$ meshctl ${args.join(" ")}`);
  const child = options.tied ? await startTied([...args, "--foreground", "--tied"], options) : undefined;
  if (child === undefined) {
    const { code, stderr } = await runMeshctl(args, process.env, (line) => options.say(line));
    if (code !== 0) throw new Error(`meshctl up ended with exit code ${code}: ${stderr}`);
  }
  return {
    name: options.name,
    kubeconfig,
    down: async () => {
      options.say(`$ meshctl down --name ${options.name}`);
      const { code, stderr } = await runMeshctl(["down", "--name", options.name], process.env, (line) =>
        options.say(line),
      );
      if (child !== undefined && child.exitCode === null && child.signalCode === null) await once(child, "close");
      if (code !== 0) throw new Error(`meshctl down ended with exit code ${code}: ${stderr}`);
    },
  };
}

/** Runs `up --foreground --tied` as a child: it ends when our end of its standard input closes. */
async function startTied(args: readonly string[], { say, signal }: Options): Promise<ChildProcess> {
  // its own process group: a Ctrl-C at the terminal reaches the demo alone, which then takes it down in order
  const child = spawn(process.execPath, ["bin/meshctl.js", ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  let text = "";
  await new Promise<void>((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      for (const line of chunk
        .toString()
        .split("\n")
        .filter((part) => part !== ""))
        say(`  ${line}`);
      text += chunk.toString();
      if (text.includes("kubectl")) resolve();
    };
    child.stdout.on("data", onData);
    child.stderr.on("data", onData);
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`meshctl up ended with exit code ${String(code)}`)));
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  }).catch((error: unknown) => {
    child.kill("SIGTERM");
    throw error;
  });
  return child;
}
