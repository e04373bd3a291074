import type { OutgoingHttpHeaders } from "node:http";
import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { ClusterError, errorText } from "../base/errors.ts";

/** Where to look for a cluster. `cwd` is the root below which the in-cluster files lie (a pod's `/`). */
export interface OpenOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Whom to act as (impersonation): user, groups, UID. Groups and UID only with a user. */
  readonly as?: string;
  readonly asGroup?: readonly string[];
  readonly asUid?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

const ACCOUNT = "var/run/secrets/kubernetes.io/serviceaccount";

/**
 * The configuration of the first place that has one: the flag, `KUBECONFIG`, the service account mounted into this pod,
 * `~/.kube/config`. Throws ClusterError `no-kubeconfig`, `bad-kubeconfig` or `stale-context`.
 */
export function loadConfig(options: OpenOptions): KubeConfig {
  const config = findConfig(options);
  if (options.context !== undefined) config.setCurrentContext(options.context);
  checkContext(config);
  impersonate(config, options);
  return config;
}

/** Sends with every request whom the flags say to act as; a user that the kubeconfig says to act as gives way. */
function impersonate(config: KubeConfig, { as, asGroup = [], asUid }: OpenOptions): void {
  if (as === undefined) return;
  const headers = {
    "Impersonate-User": as,
    ...(asGroup.length === 0 ? {} : { "Impersonate-Group": [...asGroup] }),
    ...(asUid === undefined ? {} : { "Impersonate-Uid": asUid }),
  };
  const credentials = config.applyToHTTPSOptions.bind(config);
  config.applyToHTTPSOptions = async (options) => {
    await credentials(options);
    options.headers = { ...(options.headers as OutgoingHttpHeaders | undefined), ...headers };
  };
}

function findConfig(options: OpenOptions): KubeConfig {
  const cwd = options.cwd ?? process.cwd();
  const named = nonEmpty(options.kubeconfig);
  if (named !== undefined) return fromFiles([absolute(cwd, named)]);
  const listed = (options.env["KUBECONFIG"] ?? "").split(":").filter((file) => file !== "");
  if (listed.length > 0) return fromFiles(listed.map((file) => absolute(cwd, file)));
  const host = nonEmpty(options.env["KUBERNETES_SERVICE_HOST"]);
  if (host !== undefined && existsSync(join(cwd, ACCOUNT, "token")))
    return inCluster(cwd, host, options.env["KUBERNETES_SERVICE_PORT"] ?? "443");
  const home = nonEmpty(options.env["HOME"]) ?? "~";
  const standard = join(home, ".kube", "config");
  if (existsSync(standard)) return fromFiles([standard]);
  throw new ClusterError("no-kubeconfig", `no kubeconfig: KUBECONFIG is not set and ${standard} does not exist`, {
    hint: "start a local cluster with `meshctl up`, or name a kubeconfig with --kubeconfig",
  });
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

function absolute(cwd: string, file: string): string {
  return isAbsolute(file) ? file : join(cwd, file);
}

/** Later files add what earlier ones lack, as kubectl merges them; files that do not exist are passed over when others do. */
function fromFiles(files: readonly string[]): KubeConfig {
  const present = files.filter((file) => existsSync(file));
  if (present.length === 0)
    throw new ClusterError("no-kubeconfig", `kubeconfig ${files.join(", ")} does not exist`, {
      hint: "check --kubeconfig and the variable KUBECONFIG",
    });
  const merged = new KubeConfig();
  for (const [index, file] of present.entries()) {
    try {
      if (index === 0) merged.loadFromFile(file);
      else {
        const more = new KubeConfig();
        more.loadFromFile(file);
        merged.mergeConfig(more, false);
      }
    } catch (error) {
      // a YAML error goes on with an excerpt
      const [words = ""] = errorText(error).split("\n");
      throw new ClusterError("bad-kubeconfig", `kubeconfig ${file} cannot be read: ${words}`, {
        hint: `repair the file (\`kubectl config view --kubeconfig ${file}\`), or name another with --kubeconfig`,
      });
    }
  }
  return merged;
}

function inCluster(cwd: string, host: string, port: string): KubeConfig {
  const config = new KubeConfig();
  const server = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  config.loadFromOptions({
    clusters: [{ name: "in-cluster", server, caFile: join(cwd, ACCOUNT, "ca.crt"), skipTLSVerify: false }],
    users: [
      {
        name: "service-account",
        authProvider: { name: "tokenFile", config: { tokenFile: join(cwd, ACCOUNT, "token") } },
      },
    ],
    contexts: [{ name: "in-cluster", cluster: "in-cluster", user: "service-account" }],
    currentContext: "in-cluster",
  });
  return config;
}

function checkContext(config: KubeConfig): void {
  const wanted = config.getCurrentContext();
  const names = config.getContexts().map((context) => context.name);
  const known = names.length === 0 ? "the kubeconfig has none" : `the kubeconfig has: ${names.join(", ")}`;
  const hint = "choose one with --context or `kubectl config use-context`";
  if (wanted === "" || wanted === undefined)
    throw new ClusterError("stale-context", `no current context is set; ${known}`, { hint });
  if (!names.includes(wanted))
    throw new ClusterError("stale-context", `context ${wanted} does not exist; ${known}`, { hint });
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new ClusterError("stale-context", `context ${wanted} names a cluster that the kubeconfig does not have`, {
      hint,
    });
  if (cluster.server.startsWith("http:") && cluster.skipTLSVerify !== true)
    throw new ClusterError("plain-http", `context ${wanted} reaches ${cluster.server} without TLS`, {
      hint: "name an https server, or allow it with insecure-skip-tls-verify: true in the kubeconfig's cluster",
    });
}
