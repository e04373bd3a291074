import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

/** How a command line ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Builds istioctl the first time, and runs it against a cluster. */
export async function istioctl(kubeconfig: string): Promise<(...args: readonly string[]) => Promise<Ended>> {
  const script = join(import.meta.dirname, "setup-istioctl.sh");
  const { stdout } = await promisify(execFile)("bash", [script], { maxBuffer: 1 << 24 });
  const program = stdout.trim().split("\n").at(-1) ?? "";
  return (...args) =>
    new Promise((resolve) => {
      const env = { ...process.env, KUBECONFIG: kubeconfig, TERM: "dumb" };
      execFile(program, args, { env, maxBuffer: 1 << 26, timeout: 60_000 }, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err });
      });
    });
}
