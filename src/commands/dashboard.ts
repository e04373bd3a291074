import { once } from "node:events";
import { Server as HttpServer } from "node:http";
import { type AddressInfo, createServer, isIPv6, type Server } from "node:net";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ClusterError, EnvironmentError, errorText, UsageError } from "../base/errors.ts";
import type { Cluster, PodPort } from "../resources/cluster.ts";
import { meshPage } from "./dashboard/mesh-page.ts";
import { TARGETS, type DashboardTarget } from "./dashboard/targets.ts";
import { globalOptions, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { findPod } from "./pod-http.ts";

/** `meshctl dashboard NAME`: a port of this machine that leads to a pod's page, until SIGINT. */
export async function runDashboard(of: string, input: CommandInput, io: Io): Promise<CommandResult> {
  const target = TARGETS[of];
  if (target === undefined) throw new UsageError(`there is no dashboard "${of}"`);
  const cluster = await io.cluster();
  const pod = await podOf(cluster, target, input);
  const { port, path, isPage = false } = target;
  const find = async (): Promise<PodPort> => ({ ...(await podOf(cluster, target, input)), port });
  const server = isPage ? meshPage(cluster, { ...pod, port }, io) : forwarder(cluster, { ...pod, port }, { find, io });
  const host = textOption(input, "address") ?? "localhost";
  const name = isIPv6(host) ? `[${host}]` : host;
  const url = `http://${name}:${await listen(server, host, portOption(input))}${path}`;
  io.out(`${url}\n`);
  if (input.options["browser"] === false || textOption(input, "browser") === "false") io.err("Ctrl-C ends.\n");
  else await openBrowser(url, io);
  await ended(io.signal);
  server.close();
  // a browser keeps connections open
  if (server instanceof HttpServer) server.closeAllConnections();
  return { exitCode: 0 };
}

/** Every connection becomes one to the pod; once it is gone, to the one that came in its place. */
function forwarder(
  cluster: Cluster,
  first: PodPort,
  { find, io }: { readonly find: () => Promise<PodPort>; readonly io: Pick<Io, "err"> },
): Server {
  let target = first;
  const connected = async (): Promise<Duplex> => {
    try {
      return await cluster.portForward(target);
    } catch (error) {
      const now = await find().catch(() => target);
      if (now.pod === target.pod) throw error;
      target = now;
      return cluster.portForward(target);
    }
  };
  return createServer((socket) => {
    connected().then(
      (stream) =>
        // either side may go at any time
        Promise.all([pipeline(socket, stream), pipeline(stream, socket)]).catch(() => undefined),
      (error: unknown) => {
        io.err(`${errorText(error)}\n`);
        socket.destroy();
      },
    );
  });
}

async function podOf(
  cluster: Cluster,
  { labels }: DashboardTarget,
  input: CommandInput,
): Promise<{ readonly namespace: string; readonly pod: string }> {
  const { istioNamespace, namespace } = globalOptions(input);
  const selector = textOption(input, "selector") ?? labels;
  const [asked] = input.args;
  if (asked !== undefined) return findPod(cluster, asked, namespace ?? "default");
  if (selector === undefined)
    throw new UsageError("name a pod", "Write it as name.namespace or deploy/name.namespace.");
  const where = namespace ?? istioNamespace;
  const [first] = await cluster.list(
    { apiVersion: "v1", kind: "Pod" },
    { namespace: where, labelSelector: selector, fieldSelector: "status.phase=Running" },
  );
  if (first !== undefined) return { namespace: where, pod: first.metadata.name };
  throw new ClusterError("not-found", `no running pod in ${where} has the labels ${selector}`, {
    hint: "Name its namespace with -n, or its labels with --selector.",
  });
}

function portOption(input: CommandInput): number {
  const text = textOption(input, "port") ?? "0";
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw new UsageError(`--port: expected a port from 1 to 65535, or 0 for any, got "${text}"`);
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    throw new EnvironmentError("port-in-use", `cannot listen at ${host}:${port}: ${errorText(error)}`, {
      hint: "Choose another with --port.",
    });
  }
  return (server.address() as AddressInfo).port;
}

/** Asks the desktop; where there is none the address is all there is to say. */
async function openBrowser(url: string, io: Io): Promise<void> {
  const { spawn } = await import("node:child_process");
  const program = process.platform === "darwin" ? "open" : "xdg-open";
  const child = spawn(program, [url], { stdio: "ignore", detached: true });
  child.once("error", () => io.err("No browser could be opened; Ctrl-C ends.\n"));
  child.unref();
}

async function ended(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}
