import { chown, mkdir, symlink } from "node:fs/promises";
import { normalize, join } from "node:path";
import { compact } from "../../base/compact.ts";
import type { Container, Pod } from "../shapes.ts";
import { type DataLookup, type ServiceLink, containerEnv } from "./env.ts";
import { expand } from "./expand.ts";
import { type LocalImage, commandLine } from "./images.ts";
import { ContainerLog } from "./log.ts";
import type { PodNetwork, ProcessUser } from "./network/types.ts";
import type { NodeContext } from "./node-context.ts";
import { type RunningProcess, startProcess } from "./process.ts";
import { type PodVolumes, linkMounts } from "./volumes.ts";

/** One container in its place: everything its processes are started with. */
export interface ContainerPlace {
  readonly node: NodeContext;
  readonly pod: Pod;
  readonly container: Container;
  readonly image: LocalImage;
  readonly network: PodNetwork;
  readonly volumes: PodVolumes;
  /** Folder of the container; its root directory stands below. */
  readonly directory: string;
  readonly data: DataLookup;
  readonly services: readonly ServiceLink[];
  /** The container is expected to come to an end: an init container, or one of a pod that is not always restarted. */
  readonly ends: boolean;
}

let serial = 0;

/** Starts the container's program in a fresh look of its root directory. Throws ContainerConfigError for bad references. */
export async function launchContainer(place: ContainerPlace, log: ContainerLog): Promise<RunningProcess> {
  const env = environment(place);
  const { container, image, ends, node } = place;
  const realPort = (port: number): number => node.network.realPort(port);
  const argv = commandLine(container, image, { ends, realPort }).map((word) => expand(word, env));
  const root = await prepareRoot(place);
  return start(place, { argv, root, env, log });
}

/** Runs a command beside the container's program; resolves to its exit code, 137 when the time was over. */
export async function runInContainer(
  place: ContainerPlace,
  command: readonly string[],
  timeoutMs: number,
): Promise<number> {
  const env = environment(place);
  const root = rootOf(place);
  const running = await start(place, { argv: command, root, env, log: new ContainerLog(place.node.now) });
  const timer = setTimeout(() => {
    running.killGroup();
  }, timeoutMs);
  const { code } = await running.exited;
  clearTimeout(timer);
  return code;
}

interface Program {
  readonly argv: readonly string[];
  readonly root: string;
  readonly env: ReadonlyMap<string, string>;
  readonly log: ContainerLog;
}

function start(place: ContainerPlace, { argv, root, env, log }: Program): Promise<RunningProcess> {
  const user = userOf(place);
  const cwd = join(root, normalize(place.container.workingDir ?? "/"));
  const command = place.network.wrap({ argv, cwd, container: place.container.name, user });
  const pipePath = join(place.directory, `out-${serial++}`);
  return startProcess({ command, env, log, pipePath, user: ownerOf(place), watcher: place.node.watcher });
}

function environment(place: ContainerPlace): ReadonlyMap<string, string> {
  const { node, pod, container, network, data, services } = place;
  const facts = { podIp: network.ip, hostIp: node.network.nodeIp };
  const base = {
    PATH: node.programs.path,
    HOME: rootOf(place),
    TMPDIR: join(rootOf(place), "tmp"),
    HOSTNAME: pod.spec?.hostname ?? pod.metadata.name,
    KUBERNETES_SERVICE_HOST: node.apiAddress.host,
    KUBERNETES_SERVICE_PORT: String(node.apiAddress.port),
    KUBERNETES_SERVICE_PORT_HTTPS: String(node.apiAddress.port),
  };
  return containerEnv(container, { pod, facts, data, services, base, forced: network.env(container.name) });
}

function rootOf(place: ContainerPlace): string {
  return join(place.directory, "root");
}

async function prepareRoot(place: ContainerPlace): Promise<string> {
  const { container, image, volumes, node, network } = place;
  const root = rootOf(place);
  await mkdir(join(root, "tmp"), { recursive: true });
  await linkMounts(root, container, volumes);
  await mkdir(join(root, "etc"), { recursive: true });
  await symlink(network.hostsFile(container.name), join(root, "etc", "hosts")).catch(ignoreExisting);
  if (image.ownFiles) {
    for (const name of ["bin", "dist", "samples", "node_modules", "package.json"]) {
      await symlink(join(node.programs.packageDir, name), join(root, name)).catch(ignoreExisting);
    }
  }
  if (container.workingDir !== undefined) await mkdir(join(root, normalize(container.workingDir)), { recursive: true });
  const user = ownerOf(place);
  if (user !== undefined) for (const path of [root, join(root, "tmp")]) await chown(path, user.uid, user.gid);
  return root;
}

function ignoreExisting(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
}

/** To whom its files must be given; undefined: they are its own already. */
function ownerOf(place: ContainerPlace): ProcessUser | undefined {
  return place.node.network.users === "any" ? userOf(place) : undefined;
}

/** The container's user over the pod's over the image's; its group is the one of the same number unless given. */
function userOf({ node, pod, container, image }: ContainerPlace): ProcessUser | undefined {
  if (node.network.users === "own") return undefined;
  const all = pod.spec?.securityContext ?? {};
  const { runAsUser, runAsGroup } = { ...all, ...compact(container.securityContext ?? {}) };
  const uid = runAsUser ?? image.uid;
  if (uid === undefined) return undefined;
  const groups = [...(all.supplementalGroups ?? []), ...(all.fsGroup === undefined ? [] : [all.fsGroup])];
  return { uid, gid: runAsGroup ?? uid, groups };
}
