import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../../", import.meta.url));
const program =
  "import('./src/meshd.ts').then((m) => m.main(process.argv.slice(1), process.env)).then((c) => process.exit(c))";

/** A meshd in a process of its own. */
export interface MeshdProcess {
  readonly process: ChildProcess;
  /** Resolves with its exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** What it wrote. */
  output(): string;
}

/** Starts meshd out of its sources on these ports of 127.0.0.1. */
export function spawnMeshd(
  ports: { readonly http: number; readonly secureGrpc: number; readonly monitoring: number; readonly https: number },
  kubeconfig: string,
): MeshdProcess {
  const flags = Object.entries({
    httpAddr: ports.http,
    secureGRPCAddr: ports.secureGrpc,
    monitoringAddr: ports.monitoring,
    httpsAddr: ports.https,
  }).flatMap(([flag, port]) => [`--${flag}`, `127.0.0.1:${port}`]);
  const args = ["discovery", ...flags, "--kubeconfig", kubeconfig];
  const child = spawn(process.execPath, ["--import", "tsx", "-e", program, "--", ...args], {
    cwd: repository,
    env: { ...process.env, POD_NAME: "istiod-0", POD_NAMESPACE: "istio-system" },
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
