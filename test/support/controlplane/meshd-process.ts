import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../../", import.meta.url));
const program =
  "import('./src/meshd.ts').then((m) => m.main(process.argv.slice(1), process.env)).then((c) => process.exit(c))";

/** meshd as a process of its own, out of its sources, on these ports of 127.0.0.1. */
export function spawnMeshd(
  ports: { readonly http: number; readonly secureGrpc: number; readonly monitoring: number; readonly https: number },
  kubeconfig: string,
): ChildProcess {
  const flags = Object.entries({
    httpAddr: ports.http,
    secureGRPCAddr: ports.secureGrpc,
    monitoringAddr: ports.monitoring,
    httpsAddr: ports.https,
  }).flatMap(([flag, port]) => [`--${flag}`, `127.0.0.1:${port}`]);
  const args = ["discovery", ...flags, "--kubeconfig", kubeconfig];
  return spawn(process.execPath, ["--import", "tsx", "-e", program, "--", ...args], {
    cwd: repository,
    env: { ...process.env, POD_NAME: "istiod-0", POD_NAMESPACE: "istio-system" },
    stdio: "ignore",
  });
}
