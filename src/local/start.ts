import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, type Server, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EnvironmentError, MeshError, errorText } from "../base/errors.ts";
import type { DaemonConfig, DaemonMessage } from "./daemon-protocol.ts";
import type { NetworkKind } from "./network-kind.ts";
import { type AddressPlan, addressPlan, choosePlan } from "./node/network/netns-plan.ts";
import { runProgram } from "./node/run.ts";
import { identify } from "./state.ts";
import { findTool } from "./tools.ts";
import { NETNS_FLAGS, NETNS_INIT, nodeCommand } from "./unshare.ts";

export interface StartRequest {
  readonly name: string;
  readonly network: NetworkKind;
  /** 0: any free one. */
  readonly apiPort: number;
  readonly envoy: string | undefined;
  readonly images: readonly string[];
  readonly tied: boolean;
  /** The node writes its log to our stderr instead of a file. */
  readonly foreground: boolean;
  readonly stateDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

export interface Started {
  readonly process: ChildProcess;
  readonly kubeconfig: string;
  readonly server: string;
  readonly link: string | undefined;
  readonly runDir: string | undefined;
  /** From now on the node lives without us; until then it ends when we do. */
  readonly release: () => void;
}

/** Starts the node's process and waits until the cluster is ready. Leaves nothing behind when it fails. */
export async function startDaemon(request: StartRequest): Promise<Started> {
  const socket = await listen(request.apiPort);
  const apiPort = (socket.address() as AddressInfo).port;
  const { network } = request;
  const netns = network === "netns";
  let runDir: string | undefined;
  let child: ChildProcess | undefined;
  try {
    const plan = netns ? await freePlan() : addressPlan(0);
    runDir = network === "loopback" ? await mkdtemp(join(tmpdir(), "meshctl-")) : undefined;
    child = netns ? spawnNetns(request, plan) : spawnPlain(request);
    const config: DaemonConfig = {
      name: request.name,
      network,
      planIndex: plan.index,
      apiPort,
      envoy: request.envoy,
      images: request.images,
      tied: request.tied,
      stateDir: request.stateDir,
      runDir: runDir ?? "/run/meshctl",
    };
    const ready = await handOver(child, config, { socket, keep: network !== "loopback", request });
    return { process: child, ...ready, link: netns ? plan.link : undefined, runDir };
  } catch (error) {
    socket.close();
    if (child !== undefined) await endProcess(child);
    if (runDir !== undefined) await rm(runDir, { recursive: true, force: true });
    throw error;
  }
}

function listen(port: number): Promise<Server> {
  const server = createServer({ pauseOnConnect: true });
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(portError(port, error));
    });
    server.listen(port, "127.0.0.1", () => {
      resolve(server);
    });
  });
}

function portError(port: number, error: NodeJS.ErrnoException): MeshError {
  const busy = error.code === "EADDRINUSE";
  const message = busy ? `port ${port} of 127.0.0.1 is in use` : `cannot listen on 127.0.0.1:${port}: ${error.message}`;
  const hint = "choose another with --api-port, or leave it out to take a free one";
  return new EnvironmentError(busy ? "port-in-use" : "cannot-listen", message, { hint });
}

async function freePlan(): Promise<AddressPlan> {
  const plan = choosePlan(await runProgram("ip", ["-4", "route", "show", "table", "all"]));
  if (plan !== undefined) return plan;
  throw new EnvironmentError("no-addresses", "this machine routes all address ranges that a local cluster could use", {
    hint: "run meshctl down for clusters you no longer need (--name), or use --network loopback",
  });
}

function spawnPlain(request: StartRequest): ChildProcess {
  const [file, ...args] = nodeCommand();
  return spawnWith(request, file, args, undefined);
}

function spawnNetns(request: StartRequest, plan: AddressPlan): ChildProcess {
  const unshare = findTool("unshare", request.env["PATH"]) ?? "unshare";
  const values = [plan.link, plan.hostIp, plan.nodeIp, plan.podCidr, plan.serviceCidr];
  const machine = openSync("/proc/self/ns/net", "r");
  try {
    const init = ["sh", "-c", NETNS_INIT, "sh", ...values, ...nodeCommand()];
    return spawnWith(request, unshare, [...NETNS_FLAGS, ...init], machine);
  } finally {
    closeSync(machine);
  }
}

function spawnWith(
  request: StartRequest,
  file: string,
  args: readonly string[],
  extra: number | undefined,
): ChildProcess {
  const log = request.foreground ? undefined : openSync(join(request.stateDir, "node.log"), "a", 0o600);
  const output = log ?? "inherit";
  try {
    return spawn(file, args, {
      cwd: "/",
      env: { ...request.env, PATH: `${request.env["PATH"] ?? ""}:/usr/sbin:/sbin:/usr/bin:/bin` },
      detached: true,
      stdio: [request.tied ? "inherit" : "ignore", output, output, "ipc", ...(extra === undefined ? [] : [extra])],
    });
  } finally {
    if (log !== undefined) closeSync(log);
  }
}

interface Hand {
  readonly socket: Server;
  /** The node serves our socket; otherwise it binds the port itself once we let go of it. */
  readonly keep: boolean;
  readonly request: StartRequest;
}

async function handOver(
  child: ChildProcess,
  config: DaemonConfig,
  hand: Hand,
): Promise<Pick<Started, "kubeconfig" | "server" | "release">> {
  const answer = waitForAnswer(child, hand.request);
  if (hand.keep) {
    child.send(config, hand.socket, () => hand.socket.close());
  } else {
    await new Promise((resolve) => hand.socket.close(resolve));
    child.send(config);
  }
  const message = await answer;
  if (message.type === "failed") {
    if (message.code === "EADDRINUSE")
      throw portError(config.apiPort, Object.assign(new Error(), { code: message.code }));
    throw new EnvironmentError("cluster-failed", `the local cluster did not start: ${message.message}`);
  }
  const release = (): void => {
    child.send("keep", () => {
      child.disconnect();
    });
  };
  return { kubeconfig: message.kubeconfig, server: message.server, release };
}

function waitForAnswer(child: ChildProcess, { signal, foreground, stateDir }: StartRequest): Promise<DaemonMessage> {
  return new Promise((resolve, reject) => {
    child.once("message", (message) => {
      resolve(message as DaemonMessage);
    });
    child.once("error", reject);
    child.once("exit", () => {
      void (async () => {
        const log = foreground ? "" : await readFile(join(stateDir, "node.log"), "utf8").catch(() => "");
        const last = log.trim().split("\n").slice(-5).join("\n");
        reject(
          new EnvironmentError(
            "cluster-failed",
            `the local cluster ended while it started${last === "" ? "" : `:\n${last}`}`,
          ),
        );
      })();
    });
    signal.addEventListener("abort", () => {
      reject(new MeshError("interrupted", `interrupted: ${errorText(signal.reason)}`));
    });
  });
}

/** Ends the node's process, and everything with it. */
async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

/** The started process, as the state file remembers it. */
export function processIdOf(child: ChildProcess): { pid: number; startTime: string } {
  const id = child.pid === undefined ? undefined : identify(child.pid);
  if (id === undefined)
    throw new EnvironmentError("cluster-failed", "the local cluster ended right after it had started");
  return id;
}
