import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../../", import.meta.url));
const program = `${repository}bin/meshd.js`;

/** A meshd in a process of its own. */
export interface MeshdProcess {
  readonly process: ChildProcess;
  /** Resolves with its exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** What it wrote. */
  output(): string;
}

/** What is said beside that. */
export interface MeshdSettings {
  /** Name of its pod. */
  readonly name?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the built meshd on these ports of 127.0.0.1. */
export function spawnMeshd(
  ports: { readonly http: number; readonly secureGrpc: number; readonly monitoring: number; readonly https: number },
  kubeconfig: string,
  { name = "istiod-0", args: more = [], env = {} }: MeshdSettings = {},
): MeshdProcess {
  const flags = Object.entries({
    httpAddr: ports.http,
    secureGRPCAddr: ports.secureGrpc,
    monitoringAddr: ports.monitoring,
    httpsAddr: ports.https,
  }).flatMap(([flag, port]) => [`--${flag}`, `127.0.0.1:${port}`]);
  const args = ["discovery", ...flags, "--kubeconfig", kubeconfig, ...more];
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, POD_NAME: name, POD_NAMESPACE: "istio-system", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const note = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on("data", note);
  child.stderr.on("data", note);
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  return { process: child, ended, output: () => output };
}
