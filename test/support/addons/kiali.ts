import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { getAt } from "../../../scripts/scenario/ask.ts";
import { waitFor } from "../wait.ts";

/** A running Kiali beside a cluster. Its process ends with `stop`. */
export interface RunningKiali {
  /** GET below `/kiali/api/`; parsed. Rejects for other answers than 200. */
  api(path: string): Promise<unknown>;
  stop(): Promise<void>;
}

/** What Kiali is told of its surroundings. */
export interface KialiOptions {
  readonly program: string;
  /** A folder for its files. */
  readonly work: string;
  /** Whose account it uses. */
  readonly kubeconfig: string;
  readonly prometheus: string;
  readonly jaeger: string;
  /** Where the control plane tells its version. */
  readonly istiodVersion: string;
}

/** Starts Kiali's server on loopback, as it comes, with a configuration file and no console. */
export async function startKiali(options: KialiOptions): Promise<RunningKiali> {
  const console = join(options.work, "console");
  await mkdir(console, { recursive: true });
  await writeFile(join(console, "index.html"), "<html><head></head><body></body></html>");
  const [port, metrics] = [await freePort(), await freePort()];
  const config = {
    in_cluster: false,
    auth: { strategy: "anonymous" },
    deployment: {
      remote_secret_path: options.kubeconfig,
      accessible_namespaces: ["**"],
      cluster_wide_access: true,
      namespace: "istio-system",
    },
    external_services: {
      prometheus: { url: options.prometheus },
      grafana: { enabled: false },
      tracing: { enabled: true, url: options.jaeger, in_cluster_url: options.jaeger, use_grpc: false },
      istio: { url_service_version: options.istiodVersion, istiod_polling_interval_seconds: 2 },
    },
    istio_namespace: "istio-system",
    login_token: { signing_key: "0123456789abcdef" },
    server: {
      address: "127.0.0.1",
      port,
      web_root: "/kiali",
      static_content_root_directory: console,
      observability: { metrics: { enabled: true, port: metrics } },
    },
  };
  const file = join(options.work, "kiali.yaml");
  await writeFile(file, JSON.stringify(config));
  const child = spawn(options.program, ["-config", file], { stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    let rest = "";
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts);
    });
  }
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const api = async (path: string): Promise<unknown> => {
    const { status, body } = await getAt("127.0.0.1", port, `/kiali/api/${path}`, {});
    if (status !== 200) throw new Error(`Kiali answered ${status} to ${path}: ${body}`);
    return JSON.parse(body) as unknown;
  };
  await waitFor(async () => Array.isArray(await api("namespaces")), { what: "Kiali", timeoutMs: 60_000 }).catch(
    (error: unknown) => {
      child.kill();
      throw new Error(`Kiali does not answer:\n${lines.slice(-9).join("\n")}`, { cause: error });
    },
  );
  return {
    api,
    async stop() {
      child.kill();
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
