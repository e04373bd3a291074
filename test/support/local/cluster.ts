import { execFile, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { kubeAssets } from "../kube/apiserver.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const run = promisify(execFile);

export type Network = "netns" | "loopback";

/** A local cluster as a user has it: by the built command line, with a home of its own. */
export interface TestCluster {
  readonly home: string;
  readonly name: string;
  readonly kubeconfig: string;
  /** Runs our command line; resolves to its output, rejects with it when it fails. */
  meshctl(...args: readonly string[]): Promise<string>;
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
  if (process.getuid?.() !== 0) return "network namespaces need root";
  const tools = ["ip", "iptables", "unshare", "nsenter", "setpriv"];
  const folders = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/sbin"];
  const absent = tools.filter((tool) => !folders.some((folder) => existsSync(join(folder, tool))));
  return absent.length === 0 ? undefined : `${absent.join(", ")} missing`;
}

/** A home and a name; nothing runs yet. With `uid`, every command runs as that user without any capability. */
export async function prepareCluster(
  options: { uid?: number; env?: Record<string, string> } = {},
): Promise<TestCluster> {
  const home = mkdtempSync(join(tmpdir(), "meshctl-e2e-"));
  chmodSync(home, 0o777);
  const name = `t${process.pid}-${Math.floor(Math.random() * 1e6)}`;
  const kubeconfig = join(home, ".local", "state", "meshctl", name, "kubeconfig");
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    MESHCTL_ENVOY: "/bin/true",
    KUBECONFIG: kubeconfig,
    ...options.env,
  };
  const { uid } = options;
  const as =
    uid === undefined
      ? []
      : ["setpriv", "--reuid", String(uid), "--regid", String(uid), "--clear-groups", "--bounding-set=-all", "--"];
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
  const kubectlPath = join(await kubeAssets(), "kubectl");
  const meshctl = (...args: readonly string[]): Promise<string> => {
    const named = args[0] === "up" || args[0] === "down" ? [...args, "--name", name] : args;
    return call(process.execPath, [join(root, "bin/meshctl.js"), ...named]);
  };
  return {
    home,
    name,
    kubeconfig,
    meshctl,
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
