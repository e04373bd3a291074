import { execFile } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, linkSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Why Debian's packages cannot be had on this machine; undefined when they can. */
export function missingPackages(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(":");
  const isThere = (program: string): boolean => folders.some((folder) => existsSync(join(folder, program)));
  return ["apt-get", "dpkg-deb", "flock"].every(isThere) ? undefined : "apt-get, dpkg-deb or flock is missing";
}

/** Debian's programs, fetched when the cache does not have them. Rejects where there is no apt-get. */
export async function prometheusPrograms(): Promise<{ readonly prometheus: string; readonly promtool: string }> {
  const { stdout } = await run(join(import.meta.dirname, "setup-prometheus.sh"), [], { maxBuffer: 1 << 24 });
  const folder = stdout.trim().split("\n").at(-1) ?? "";
  return { prometheus: join(folder, "prometheus"), promtool: join(folder, "promtool") };
}

/** What a local cluster runs for the image of the addon, where any user may run it. */
export interface PrometheusImage {
  /** A value of `meshctl up --map`. */
  readonly mapping: string;
  remove(): void;
}

/** Real Prometheus as the addon's image on a local node. */
export async function prometheusImage(): Promise<PrometheusImage> {
  const { prometheus } = await prometheusPrograms();
  const folder = mkdtempSync(join(tmpdir(), "meshctl-prometheus-"));
  chmodSync(folder, 0o755);
  const place = (file: string, name: string): string => {
    const target = join(folder, name);
    try {
      linkSync(file, target);
    } catch {
      copyFileSync(file, target);
    }
    return target;
  };
  const program = place(prometheus, "prometheus");
  const script = place(join(import.meta.dirname, "pod.sh"), "pod.sh");
  place(join(import.meta.dirname, "discovery.mjs"), "discovery.mjs");
  for (const file of [program, script]) chmodSync(file, 0o755);
  return {
    mapping: `prom/prometheus=${script} ${program}`,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
