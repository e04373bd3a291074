import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const DOOR = fileURLToPath(new URL("./netns-door.mjs", import.meta.url));
const [NSENTER, UNSHARE] = ["nsenter", "unshare"] as const;

/** Addresses of the node that every pod reaches: there meshd answers, and there it does not yet. */
export const NODE = { meshd: "10.244.0.1", away: "10.244.0.2" } as const;

/** A network namespace, and the way of this process into it and out of it. */
export interface Side {
  /** The command that runs another one in here. */
  readonly enter: readonly string[];
  /** A TCP connection from in here. Rejects with the error's code. */
  dial(host: string, port: number): Promise<Socket>;
  /** Hands TCP connections to this place to a unix socket of this process. */
  listen(host: string, port: number, to: string): Promise<void>;
  /** Nobody is there any more; connections break. */
  close(host: string, port: number): Promise<void>;
}

/** A node and its pods, each in a network namespace of its own. */
export interface Network {
  readonly node: Side;
  /** A new pod's namespace, joined to the node's. */
  pod(): Promise<Side & { readonly address: string }>;
  remove(): Promise<void>;
}

/** Makes the node. Namespaces live as long as their doors; `folder` has the doors' sockets. */
export async function createNetwork(folder: string): Promise<Network> {
  const children: ChildProcess[] = [];
  const node = await openSide(children, join(folder, "node"));
  const addresses = Object.values(NODE).map((address) => `address add ${address}/32 dev lo`);
  await ip(node, ["link set lo up", ...addresses]);
  let count = 0;
  return {
    node,
    pod: async () => {
      count += 1;
      const net = `10.244.${count}`;
      const nic = `pod${count}`;
      const side = await openSide(children, join(folder, nic));
      await ip(node, [
        `link add ${nic} type veth peer name eth0 netns ${side.pid}`,
        `address add ${net}.1/24 dev ${nic}`,
        `link set ${nic} up`,
      ]);
      await ip(side, [
        "link set lo up",
        `address add ${net}.2/24 dev eth0`,
        "link set eth0 up",
        `route add default via ${net}.1`,
      ]);
      return { ...side, address: `${net}.2` };
    },
    remove: async () => {
      for (const child of children) child.stdin?.end();
      const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
      await Promise.all(running.map((child) => once(child, "exit")));
    },
  };
}

function ip(side: Side, lines: readonly string[]): Promise<string> {
  return run([...side.enter, "ip", "-batch", "-"], `${lines.join("\n")}\n`);
}

/** What a command prints. Rejects, with its stderr, when it fails. */
export function run(command: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(command[0] ?? "", command.slice(1), (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
    // Which may have ended without reading it: then its exit code says so.
    child.stdin?.on("error", () => undefined).end(input);
  });
}

async function openSide(children: ChildProcess[], path: string): Promise<Side & { readonly pid: number }> {
  const child = spawn(UNSHARE, ["-n", process.execPath, DOOR, path], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  // In its namespace it is before it says so.
  await Promise.race([once(lines, "line"), once(child, "exit").then(() => Promise.reject(new Error("no namespace")))]);
  const waiting = new Map<number, (error: string | undefined) => void>();
  lines.on("line", (line) => {
    const { id, error } = JSON.parse(line) as { id: number; error?: string };
    waiting.get(id)?.(error);
  });
  let count = 0;
  const order = (what: object): Promise<void> => {
    count += 1;
    const id = count;
    child.stdin.write(`${JSON.stringify({ id, ...what })}\n`);
    return new Promise((resolve, reject) => {
      waiting.set(id, (error) => (error === undefined ? resolve() : reject(new Error(error))));
    });
  };
  const pid = child.pid ?? 0;
  return {
    pid,
    enter: [NSENTER, "-t", String(pid), "-n", "--"],
    dial: (host, port) => dial(path, { host, port }),
    listen: (host, port, to) => order({ do: "listen", host, port, to }),
    close: (host, port) => order({ do: "close", host, port }),
  };
}

/** The application on the other end speaks second. */
function dial(door: string, to: { readonly host: string; readonly port: number }): Promise<Socket> {
  const socket = connect(door);
  socket.write(`${JSON.stringify(to)}\n`);
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("data", (bytes: Buffer) => {
      const word = bytes.toString().trim();
      socket.off("error", reject);
      if (word === "ok") resolve(socket);
      else reject(new Error(`${word} ${to.host}:${to.port}`));
    });
  });
}

/** One HTTP answer. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Connections to be used again; default: one connection for this request, which it says. */
  readonly kept?: Agent;
}

/** Kept connections from a namespace. */
export function keptConnections(side: Side): Agent {
  return dialsFrom(side, new Agent({ keepAlive: true, maxSockets: 4 }));
}

function dialsFrom(side: Side, agent: Agent): Agent {
  const createConnection: Agent["createConnection"] = ({ host, port }, answer) => {
    side.dial(String(host), Number(port)).then(
      (socket) => answer?.(null, socket),
      (error: Error) => answer?.(error, undefined as never),
    );
    return undefined as never;
  };
  return Object.assign(agent, { createConnection });
}

/** An HTTP request from a namespace. Rejects when there is no whole answer. */
export function ask(side: Side, url: string, { method = "GET", headers, kept }: Ask = {}): Promise<Answer> {
  const agent = kept ?? dialsFrom(side, new Agent());
  return new Promise((resolve, reject) => {
    const call = request(url, { method, agent, ...(headers === undefined ? {} : { headers }) }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers });
      });
    });
    call.on("error", reject);
    call.end();
  });
}
