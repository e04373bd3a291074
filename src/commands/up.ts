import { writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { compact } from "../base/compact.ts";
import { EnvironmentError, UsageError } from "../base/errors.ts";
import { locateEnvoy } from "../envoy/locate.ts";
import { type NetworkChoice, chooseNetwork, refusal } from "../local/network-choice.ts";
import { NETWORK_KINDS, type NetworkKind } from "../local/network-kind.ts";
import { parseMapping } from "../local/node/images.ts";
import { packageRoot } from "../local/package-root.ts";
import { type Started, processIdOf, startDaemon } from "../local/start.ts";
import {
  type ClusterState,
  claimState,
  identify,
  isAlive,
  readState,
  removeStateDir,
  stateDir,
  writeState,
} from "../local/state.ts";
import { endProcesses } from "../local/stop.ts";
import { listOption, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandRun, Io } from "./io.ts";
import { clusterName, endCluster } from "./local-clusters.ts";
import { mergeInto, ownKubeconfig } from "./merge-kubeconfig.ts";
import { upClusters, wantedClusters } from "./up-clusters.ts";

/** Starts a local Kubernetes cluster: API endpoint, controllers and a node whose pods are processes of this machine. */
export const run: CommandRun = async (input, io) => {
  const count = wantedClusters(input);
  return count === undefined ? upOne(input, io) : upClusters(count, input, io, upOne);
};

const upOne: CommandRun = async (input, io) => {
  const options = readOptions(input, io);
  const directory = stateDir(io.env, options.name);
  const known = await readState(directory);
  if (known !== undefined && isAlive(known.process)) return alreadyUp(known, io);
  if (known !== undefined) {
    io.err(`cluster ${options.name} was not ended properly: cleaning up after it\n`);
    await endCluster(directory);
  }
  const envoy = await locateEnvoy({
    env: io.env,
    cacheDir: join(io.env["XDG_CACHE_HOME"] ?? join(io.env["HOME"] ?? homedir(), ".cache"), "meshctl"),
    onProgress: (text) => {
      io.err(`${text}\n`);
    },
  });
  const choice = await networkFor(options, envoy, io);
  await claim(directory, options, choice);
  const begun = await begin(options, { choice, envoy, directory }, io);
  if (options.foreground || options.tied) await stayInForeground(begun, directory, io);
  else begun.started.process.unref();
  return { exitCode: 0 };
};

interface Place {
  readonly choice: NetworkChoice;
  readonly envoy: string;
  readonly directory: string;
}

interface Begun {
  readonly started: Started;
  readonly state: ClusterState;
}

/** Starts the node and tells the world of it; a failure on the way takes everything back. */
async function begin(options: UpOptions, { choice, envoy, directory }: Place, io: Io): Promise<Begun> {
  const { network } = choice;
  let started: Started | undefined;
  try {
    const request = { ...options, network, envoy, stateDir: directory, env: { ...io.env }, signal: io.signal };
    started = await startDaemon(request);
    await writeFile(options.kubeconfig, started.kubeconfig, { mode: 0o600 });
    if (options.merged !== undefined) await mergeInto(options.merged, started.kubeconfig);
    const state = stateOf(options, choice, started);
    await writeState(directory, state);
    started.release();
    tellStarted(state, choice, io);
    return { started, state };
  } catch (error) {
    if (started !== undefined) {
      await endProcesses({
        process: processIdOf(started.process),
        network,
        ...compact({ link: started.link, runDir: started.runDir }),
      });
    }
    await removeStateDir(directory);
    throw error;
  }
}

interface UpOptions {
  readonly name: string;
  readonly network: NetworkKind | undefined;
  readonly apiPort: number;
  readonly images: readonly string[];
  readonly tied: boolean;
  readonly foreground: boolean;
  readonly kubeconfig: string;
  /** The user's own kubeconfig, when the cluster is to be added to it. */
  readonly merged: string | undefined;
}

function readOptions(input: CommandInput, io: Io): UpOptions {
  const name = clusterName(textOption(input, "name"));
  const network = textOption(input, "network");
  const wanted = textOption(input, "apiPort") ?? "0";
  const apiPort = Number(wanted);
  if (!/^\d+$/.test(wanted) || apiPort > 65535)
    throw new UsageError(
      `--api-port ${wanted} is no port`,
      "name one from 1 to 65535, or leave it out to take a free one",
    );
  const images = listOption(input, "map").map((text) => absoluteMapping(text, io.cwd));
  const kubeconfig = textOption(input, "kubeconfig");
  return {
    name,
    network: NETWORK_KINDS.find((kind) => kind === network),
    apiPort,
    images,
    tied: switchOption(input, "tied"),
    foreground: switchOption(input, "foreground"),
    kubeconfig: kubeconfig === undefined ? join(stateDir(io.env, name), "kubeconfig") : resolve(io.cwd, kubeconfig),
    merged: switchOption(input, "mergeKubeconfig") ? ownKubeconfig(io.env) : undefined,
  };
}

/** Words of the command that begin with `./` or `../` mean files beside the user, not in the container. */
function absoluteMapping(text: string, cwd: string): string {
  const mapping = parseMapping(text);
  if (mapping === undefined)
    throw new UsageError(
      `--map ${text} is no mapping`,
      "write it as IMAGE=COMMAND, such as --map example.com/web=./web.mjs",
    );
  const words = mapping[1].split(" ").map((word) => (/^\.\.?\//.test(word) ? resolve(cwd, word) : word));
  return `${mapping[0]}=${words.join(" ")}`;
}

async function networkFor(options: UpOptions, envoy: string, io: Io): Promise<NetworkChoice> {
  const folders = [packageRoot(), envoy, process.execPath].filter(isAbsolute);
  const facts = { uid: process.getuid?.(), path: io.env["PATH"], folders };
  const { network } = options;
  if (network === undefined) return chooseNetwork(facts);
  const reason = await refusal(network, facts);
  if (reason === undefined) return { network, reason: "asked for by --network" };
  throw new EnvironmentError("no-network", `--network ${network} is not possible: ${reason}`, {
    hint: "leave --network out to take the best that is possible here",
  });
}

async function claim(directory: string, options: UpOptions, choice: NetworkChoice): Promise<void> {
  const process_ = identify(process.pid);
  if (process_ === undefined) throw new EnvironmentError("no-proc", "a local cluster needs Linux with /proc");
  const { name, kubeconfig } = options;
  const state: ClusterState = { name, phase: "starting", process: process_, network: choice.network, kubeconfig };
  if (await claimState(directory, state)) return;
  throw new EnvironmentError("starting", `cluster ${name} is being started by another meshctl up`, {
    hint: "wait for it, or choose another --name",
  });
}

function stateOf(options: UpOptions, choice: NetworkChoice, started: Started): ClusterState {
  const { name, kubeconfig, merged } = options;
  const { link, runDir, server } = started;
  const id = processIdOf(started.process);
  return {
    name,
    phase: "up",
    process: id,
    network: choice.network,
    kubeconfig,
    server,
    ...compact({ link, runDir, merged }),
  };
}

function alreadyUp(state: ClusterState, io: Io): { exitCode: 0 } {
  if (state.phase === "starting") io.out(`cluster ${state.name} is being started by process ${state.process.pid}\n`);
  else io.out(`cluster ${state.name} is already up\n${howToUse(state)}`);
  return { exitCode: 0 };
}

function tellStarted(state: ClusterState, choice: NetworkChoice, io: Io): void {
  const where: Readonly<Record<NetworkKind, string>> = {
    netns: "in network namespaces",
    userns: "in network namespaces of a user namespace",
    loopback: "on loopback addresses",
  };
  const why = choice.reason === undefined || choice.network === "netns" ? "" : ` (${choice.reason})`;
  io.out(
    `cluster ${state.name} is up: Kubernetes API at ${state.server ?? ""}, pods are processes ${where[choice.network]}${why}\n`,
  );
  if (choice.network === "loopback") io.out("ports under 1024 are served at port + 20000\n");
  if (choice.network === "userns") io.out("pods reach nothing outside the cluster; on --network loopback they do\n");
  io.out(howToUse(state));
}

function howToUse(state: ClusterState): string {
  const name = state.name === "mesh" ? "" : ` --name ${state.name}`;
  return [
    "use it:",
    `  export KUBECONFIG=${state.kubeconfig}`,
    "  kubectl get pods --all-namespaces",
    "end it:",
    `  meshctl down${name}`,
    "",
  ].join("\n");
}

/** Until the node ends or the user interrupts; then everything is removed. */
async function stayInForeground({ started, state }: Begun, directory: string, io: Io): Promise<void> {
  await new Promise<void>((done) => {
    started.process.once("exit", () => {
      done();
    });
    io.signal.addEventListener("abort", () => {
      done();
    });
    if (io.signal.aborted) done();
  });
  // a tied node has removed its state already, and what cleans up after it may still be at it
  await endProcesses(state);
  await endCluster(directory);
}
