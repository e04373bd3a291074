import { execFile, spawn } from "node:child_process";
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
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

/** A Prometheus of this machine that scrapes the pods of a cluster, whose addresses it reaches. */
export interface RunningPrometheus {
  readonly address: string;
  stop(): Promise<void>;
}

/**
 * Starts Debian's Prometheus with the addon's configuration, in a folder that stands for its container's root. `address`: a loopback
 * address of its own; `cluster`: whom it asks for pods, and as whom.
 */
export async function startPrometheus(options: {
  readonly folder: string;
  readonly address: string;
  readonly files: Readonly<Record<string, string>>;
  readonly cluster: { readonly server: string; readonly ca: string; readonly token: string };
}): Promise<RunningPrometheus> {
  const { folder, address, files, cluster } = options;
  const { prometheus } = await prometheusPrograms();
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const [name, text] of Object.entries(files)) put(`etc/prometheus/${name}`, text);
  const account = "var/run/secrets/kubernetes.io/serviceaccount";
  put(`${account}/token`, cluster.token);
  put(`${account}/ca.crt`, cluster.ca);
  const { hostname, port } = new URL(cluster.server);
  const log = openSync(join(folder, "prometheus.log"), "w");
  const child = spawn(
    join(import.meta.dirname, "pod.sh"),
    [
      prometheus,
      "--config.file=/etc/prometheus/prometheus.yml",
      "--storage.tsdb.path=/data",
      "--web.listen-address=:9090",
    ],
    {
      cwd: folder,
      env: { ...process.env, BIND_ADDRESS: address, KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
      stdio: ["ignore", log, log],
      // its discovery is a process beside it
      detached: true,
    },
  );
  closeSync(log);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    address,
    async stop() {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
      await ended;
    },
  };
}
