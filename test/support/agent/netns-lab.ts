import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { accessSync, constants, readlinkSync } from "node:fs";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { delimiter, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { waitFor } from "../wait.ts";

const ACTOR = fileURLToPath(new URL("./netns-actor.mjs", import.meta.url));
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
/** mesh-agent from its sources, as arguments of node. */
const AGENT = [
  "--import",
  pathToFileURL(join(ROOT, "node_modules/tsx/dist/loader.mjs")).href,
  "-e",
  `import(${JSON.stringify(pathToFileURL(join(ROOT, "src/agent.ts")).href)}).then((m) => m.start(process.argv.slice(1)))`,
  "--",
];
const [NSENTER, UNSHARE] = ["nsenter", "unshare"] as const;
const TOOLS = ["ip", "iptables-restore", UNSHARE, NSENTER, "setpriv", "python3"];

/** Addresses of the two sides. */
export const LAB = {
  pod: { v4: "10.244.9.9", v6: "fd00:9::9", second: "10.244.8.9" },
  peer: { v4: "10.244.9.1", v6: "fd00:9::1", second: "10.244.8.1" },
} as const;

export interface Listen {
  readonly name: string;
  readonly ports: readonly number[];
  readonly udp?: boolean;
  /** All addresses of both families when absent. */
  readonly host?: string;
  /** Takes connections for any address. */
  readonly transparent?: boolean;
}

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly from?: string;
}

/** A process of some user in one of the namespaces. */
export interface Actor {
  listen(what: Listen): Promise<void>;
  /** What the server said: its name and the address it saw; or the error's code, or "timeout". */
  connect(to: Target): Promise<string>;
  /** The same over UDP, and where the answer came from. */
  ask(to: Target): Promise<string>;
}

/** A pod and a peer in network namespaces of their own, joined by two links. */
export interface Lab {
  /** Path of the pod's namespace. */
  readonly namespace: string;
  actor(side: "pod" | "peer", uid: number, gid?: number): Actor;
  /** Runs mesh-agent in the pod's namespace, perhaps by way of another command; its exit code and what it printed. */
  agent(args: readonly string[], by?: readonly string[]): { readonly code: number | null; readonly text: string };
  /** Runs a command in the pod's namespace; what it printed. */
  run(...command: readonly string[]): string;
  close(): Promise<void>;
}

/** Why this machine cannot have a lab; undefined when it can. */
export function labProblem(): string | undefined {
  if (process.getuid?.() !== 0) return "network namespaces need root";
  const dirs = (process.env["PATH"] ?? "").split(delimiter);
  const absent = TOOLS.filter((tool) => !dirs.some((dir) => isProgram(join(dir, tool))));
  return absent.length === 0 ? undefined : `${absent.join(", ")} missing`;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Makes the namespaces; they live as long as the processes in them. */
export async function createLab(): Promise<Lab> {
  const children: ChildProcess[] = [];
  const [pod, peer] = [await createNamespace(children), await createNamespace(children)];
  const within = (pid: number, command: readonly string[]): string =>
    execFileSync(NSENTER, ["-t", String(pid), "-n", ...command], { encoding: "utf8" });
  const ip = (pid: number, line: string): string => within(pid, ["ip", ...line.split(" ")]);
  for (const [nic, v4] of [
    ["eth0", "v4"],
    ["eth1", "second"],
  ] as const) {
    ip(pod, `link add ${nic} type veth peer name ${nic} netns ${peer}`);
    for (const [pid, side] of [
      [pod, LAB.pod],
      [peer, LAB.peer],
    ] as const) {
      ip(pid, `address add ${side[v4]}/24 dev ${nic}`);
      if (nic === "eth0") ip(pid, `-6 address add ${side.v6}/64 dev ${nic} nodad`);
      ip(pid, `link set ${nic} up`);
      ip(pid, "link set lo up");
    }
  }
  ip(pod, `route add default via ${LAB.peer.v4}`);
  ip(pod, `-6 route add default via ${LAB.peer.v6}`);
  return {
    namespace: `/proc/${pod}/ns/net`,
    actor: (side, uid, gid = uid) => startActor(children, side === "pod" ? pod : peer, { uid, gid }),
    run: (...command) => within(pod, command),
    agent: (args, by = []) => {
      const words = ["-t", String(pod), "-n", ...by, process.execPath, ...AGENT, ...args];
      const { status, stdout } = spawnSync(NSENTER, words, {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
      });
      return { code: status, text: stdout };
    },
    close: async () => {
      // Actors end by themselves, with what they started; a namespace goes with its last process.
      for (const child of children) {
        if (child.stdin === null) child.kill("SIGKILL");
        else child.stdin.end();
      }
      await Promise.all(children.map(ended));
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

async function createNamespace(children: ChildProcess[]): Promise<number> {
  const child = spawn(UNSHARE, ["-n", "sleep", "600"], { stdio: "ignore" });
  children.push(child);
  const { pid } = child;
  if (pid === undefined) throw new Error("unshare did not start");
  const own = readlinkSync("/proc/self/ns/net");
  await waitFor(() => readlinkSync(`/proc/${pid}/ns/net`) !== own, { what: "a network namespace", timeoutMs: 5_000 });
  return pid;
}

function startActor(
  children: ChildProcess[],
  pid: number,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): Actor {
  const as = uid === 0 ? [] : ["setpriv", "--reuid", `${uid}`, "--regid", `${gid}`, "--clear-groups"];
  const child = spawn(NSENTER, ["-t", String(pid), "-n", ...as, process.execPath, ACTOR], {
    stdio: ["pipe", "pipe", "inherit"],
    cwd: "/",
  });
  children.push(child);
  const waiting = new Map<number, (line: { readonly result?: string; readonly error?: string }) => void>();
  let count = 0;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { id, ...rest } = JSON.parse(line) as { id: number; result?: string; error?: string };
    waiting.get(id)?.(rest);
  });
  const order = (what: object): Promise<string> => {
    count += 1;
    const id = count;
    child.stdin.write(`${JSON.stringify({ id, ...what })}\n`);
    return new Promise((resolve, reject) => {
      waiting.set(id, ({ result, error }) => {
        if (error === undefined) resolve(String(result));
        else reject(new Error(error));
      });
    });
  };
  return {
    listen: async (what) => {
      await order({ do: "listen", ...what });
    },
    connect: (to) => order({ do: "connect", ...to }),
    ask: (to) => order({ do: "ask", ...to }),
  };
}
