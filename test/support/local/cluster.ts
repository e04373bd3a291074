import { execFile, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { locateEnvoy } from "../../../src/envoy/locate.ts";
import type { NetworkKind } from "../../../src/local/network-kind.ts";
import { kubeAssets } from "../kube/apiserver.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const run = promisify(execFile);

export type Network = NetworkKind;

/** A local cluster as a user has it: by the built command line, with a home of its own. */
export interface TestCluster {
  readonly home: string;
  readonly name: string;
  readonly kubeconfig: string;
  /** Runs our command line; resolves to its output, rejects with it when it fails. */
  meshctl(...args: readonly string[]): Promise<string>;
  /** Starts our command line and leaves it running. */
  meshctlProcess(...args: readonly string[]): ReturnType<typeof spawn>;
  kubectl(...args: readonly string[]): Promise<string>;
  /** kubectl apply -f - */
  apply(yaml: string): Promise<string>;
  /** Starts kubectl and leaves it running. */
  kubectlProcess(...args: readonly string[]): ReturnType<typeof spawn>;
  /** The state file, parsed. */
  state(): { process: { pid: number }; link?: string; runDir?: string; network: Network };
  /** `down`, and the home. */
  remove(): Promise<void>;
}

/** Why a network cannot be had here; undefined when it can. */
export function missingFor(network: Network): string | undefined {
  if (network === "loopback") return undefined;
  if (network === "netns" && process.getuid?.() !== 0) return "network namespaces need root";
  const tools = ["ip", "iptables", "unshare", "nsenter", "setpriv"];
  const absent = tools.filter((tool) => !isOnPath(tool));
  if (absent.length > 0) return `${absent.join(", ")} missing`;
  if (network === "netns") return undefined;
  const tried = spawnSync("unshare", ["--user", "--map-root-user", "--net", "--mount", "true"], { encoding: "utf8" });
  return tried.status === 0 ? undefined : `this machine refuses user namespaces: ${tried.stderr.trim()}`;
}

function isOnPath(program: string): boolean {
  const folders = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/sbin"];
  return folders.some((folder) => existsSync(join(folder, program)));
}

/** Why there is no kubectl here; undefined when there is. */
export async function missingKubectl(): Promise<string | undefined> {
  if (isOnPath("kubectl")) return undefined;
  return kubeAssets().then(
    () => undefined,
    () => "there is no kubectl on PATH, and no Go to build one",
  );
}

/** The Envoy that our command line would use, fetched when need be. */
export function realEnvoy(): Promise<string> {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return locateEnvoy({ env: process.env, cacheDir: join(cache, "meshctl") });
}

/**
 * A home and a name; nothing runs yet. With `uid`, every command runs as that user without any capability. With `envoy`, that binary
 * stands in the home as `envoy`, where any user may run it; otherwise proxies do nothing. With `noUserNamespaces`, the kernel refuses
 * commands to make any.
 */
export async function prepareCluster(
  options: { uid?: number | undefined; envoy?: string; env?: Record<string, string>; noUserNamespaces?: boolean } = {},
): Promise<TestCluster> {
  const home = mkdtempSync(join(tmpdir(), "meshctl-e2e-"));
  chmodSync(home, 0o777);
  const envoy = options.envoy === undefined ? "/bin/true" : share(options.envoy, join(home, "envoy"));
  const name = `t${process.pid}-${Math.floor(Math.random() * 1e6)}`;
  const kubeconfig = join(home, ".local", "state", "meshctl", name, "kubeconfig");
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    MESHCTL_ENVOY: envoy,
    KUBECONFIG: kubeconfig,
    ...options.env,
  };
  const as = [...becoming(options.uid), ...(options.noUserNamespaces === true ? WITHOUT_USER_NAMESPACES : [])];
  const command = (file: string, args: readonly string[]): [string, string[]] => {
    const [first = file, ...rest] = [...as, file, ...args];
    return [first, rest];
  };
  const call = async (file: string, args: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await run(...command(file, args), { env, cwd: home, maxBuffer: 1 << 26 }).catch(
      (error: Error & { stdout?: string; stderr?: string }) => {
        throw new Error(`${file} ${args.join(" ")}: ${error.stderr ?? ""}${error.stdout ?? ""}`, { cause: error });
      },
    );
    return stdout + stderr;
  };
  // the one built from the modules, else whatever the user has; tests that call it ask missingKubectl first
  const kubectlPath = await kubeAssets().then(
    (folder) => join(folder, "kubectl"),
    () => "kubectl",
  );
  const meshctl = (...args: readonly string[]): Promise<string> => {
    const named = args[0] === "up" || args[0] === "down" ? [...args, "--name", name] : args;
    return call(process.execPath, [join(root, "bin/meshctl.js"), ...named]);
  };
  return {
    home,
    name,
    kubeconfig,
    meshctl,
    meshctlProcess: (...args) => {
      const [file, words] = command(process.execPath, [join(root, "bin/meshctl.js"), ...args]);
      return spawn(file, words, { env, cwd: home, stdio: ["ignore", "pipe", "pipe"] });
    },
    kubectl: async (...args) => {
      const { stdout } = await run(kubectlPath, args, { env: { ...env, KUBECONFIG: kubeconfig }, maxBuffer: 1 << 26 });
      return stdout.trim();
    },
    apply: (yaml) =>
      new Promise((resolve, reject) => {
        const child = execFile(kubectlPath, ["apply", "-f", "-"], { env }, (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(new Error(`kubectl apply: ${stderr}`));
        });
        child.stdin?.end(yaml);
      }),
    kubectlProcess: (...args) => spawn(kubectlPath, args, { env, stdio: ["ignore", "pipe", "pipe"] }),
    state: () =>
      JSON.parse(readFileSync(join(home, ".local/state/meshctl", name, "state.json"), "utf8")) as ReturnType<
        TestCluster["state"]
      >,
    async remove() {
      await meshctl("down");
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** The command that runs another as this user without any capability. */
function becoming(uid: number | undefined): readonly string[] {
  if (uid === undefined) return [];
  return ["setpriv", "--reuid", String(uid), "--regid", String(uid), "--clear-groups", "--bounding-set=-all", "--"];
}

/** The command that runs another as the same user, in a user namespace whose limit of further ones is 0. */
const WITHOUT_USER_NAMESPACES: readonly string[] = [
  "sh",
  "-c",
  'exec unshare --user --map-user="$(id -u)" --map-group="$(id -g)" --keep-caps -- "$@"',
  "sh",
  "sh",
  "-c",
  'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --ambient-caps -all --inh-caps -all -- "$@"',
  "sh",
];

/** Everything of the machine that a cluster may leave: to be equal before and after. */
export interface Traces {
  readonly links: string;
  readonly routes: string;
  readonly namespaces: string;
  readonly rules: string;
}

export async function tracesOf(): Promise<Traces> {
  const text = async (file: string, ...args: readonly string[]): Promise<string> =>
    (await run(file, [...args]).catch(() => ({ stdout: "" }))).stdout;
  const ours = (lines: string): string =>
    lines
      .split("\n")
      .filter((line) => line.includes("meshctl"))
      .join("\n");
  return {
    links: ours(await text("ip", "-o", "link")),
    routes: ours(await text("ip", "route")),
    namespaces: ours(await text("ip", "netns")),
    rules: ours(await text("iptables-save")),
  };
}

/** What is there now and was not before. Another cluster of this machine may have gone meanwhile. */
export async function tracesSince(before: Traces): Promise<readonly string[]> {
  const known = new Set(Object.values(before).flatMap((text: string) => text.split("\n")));
  const now = Object.values(await tracesOf()).flatMap((text: string) => text.split("\n"));
  return now.filter((line) => !known.has(line));
}

/** Command lines of living processes that hold the text in their arguments or environment. */
export function processesWith(text: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
        return line.includes(text) || environment.includes(text) ? [`${pid} ${line}`] : [];
      } catch {
        return [];
      }
    });
}

/** Addresses (as in /proc/net/tcp) at which processes that processesWith(text) finds listen, those of this network namespace. */
export function listenersOf(text: string): readonly string[] {
  const inodes = new Map([...listening()].map(([address, inode]) => [`socket:[${inode}]`, address]));
  return processesWith(text).flatMap((line) => {
    const folder = `/proc/${line.split(" ")[0] ?? ""}/fd`;
    const targets = attempt(() => readdirSync(folder)).flatMap((fd) => attempt(() => [readlinkSync(join(folder, fd))]));
    return targets.flatMap((target) => inodes.get(target) ?? []);
  });
}

/** Every TCP address that is listened at in this network namespace, as /proc/net/tcp writes it, with the socket's inode. */
export function listening(): ReadonlyMap<string, string> {
  const LISTEN = "0A";
  const rows = readFileSync("/proc/net/tcp", "utf8").split("\n").slice(1);
  return new Map(
    rows
      .map((row) => row.trim().split(/\s+/))
      .filter((fields) => fields[3] === LISTEN)
      .map((fields) => [fields[1] ?? "", fields[9] ?? ""]),
  );
}

/** What is gone meanwhile has nothing to show. */
function attempt<T>(read: () => readonly T[]): readonly T[] {
  try {
    return read();
  } catch {
    return [];
  }
}

/** The same file under another name that anyone may read: linked, or copied where a link cannot be. */
function share(file: string, target: string): string {
  try {
    linkSync(file, target);
  } catch {
    copyFileSync(file, target);
  }
  return target;
}
