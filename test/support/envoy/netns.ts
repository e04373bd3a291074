import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Target } from "./client.ts";

const MAIN = fileURLToPath(new URL("./netns-main.ts", import.meta.url));

const IP = "ip";

/** Two network namespaces joined by a veth pair, each with an address and the service range routed to the other. */
export interface NetnsPair {
  readonly client: Netns;
  readonly server: Netns;
  close(): void;
}

export interface Netns {
  readonly address: string;
  /** Path of the namespace. */
  readonly path: string;
  /** The command that runs another one in here. */
  readonly enter: readonly string[];
  /** Feeds `iptables-restore`. */
  restore(script: string): void;
  /** The echo application on these ports of all addresses. */
  serve(...ports: readonly number[]): Promise<void>;
  /** One request from in here; `asProxy` runs it as the proxy's user, whose traffic is not captured. */
  call<T>(kind: "http1" | "http2" | "echo", target: Target, text: string, asProxy?: boolean): Promise<T>;
}

/** Why this machine cannot have network namespaces; undefined when it can. */
export function netnsProblem(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  try {
    for (const tool of ["ip", "iptables-restore", "setpriv"]) execFileSync("sh", ["-c", `command -v ${tool}`]);
    return undefined;
  } catch {
    return "needs ip, iptables and setpriv";
  }
}

/** The user that Envoy runs as in a pod. */
export const AS_PROXY = ["setpriv", "--reuid=1337", "--regid=1337", "--clear-groups"];

/** The same where it needs capabilities: its group tells it from the application. */
export const AS_TRANSPARENT_PROXY = ["setpriv", "--regid=1337", "--clear-groups"];

export function createNetnsPair(): NetnsPair {
  const id = `mesh${process.pid}`;
  const names = { client: `${id}a`, server: `${id}b` };
  const children: ChildProcess[] = [];
  const ip = (...args: readonly string[]): void => {
    execFileSync(IP, [...args], { stdio: ["ignore", "ignore", "inherit"] });
  };
  const close = (): void => {
    for (const child of children) child.kill("SIGKILL");
    for (const name of Object.values(names)) {
      try {
        execFileSync(IP, ["netns", "del", name], { stdio: "ignore" });
      } catch {
        // it was never made
      }
    }
  };
  try {
    for (const name of Object.values(names)) ip("netns", "add", name);
    ip("link", "add", "eth0", "netns", names.client, "type", "veth", "peer", "name", "eth0", "netns", names.server);
    const join = (name: string, address: string, other: string): Netns => {
      ip("-n", name, "addr", "add", `${address}/24`, "dev", "eth0");
      for (const link of ["lo", "eth0"]) ip("-n", name, "link", "set", link, "up");
      ip("-n", name, "route", "add", "default", "via", other);
      return netns(name, address, children);
    };
    const [a, b] = ["10.99.0.1", "10.99.0.2"] as const;
    return { client: join(names.client, a, b), server: join(names.server, b, a), close };
  } catch (error) {
    close();
    throw error;
  }
}

function netns(name: string, address: string, children: ChildProcess[]): Netns {
  const enter = [IP, "netns", "exec", name];
  const program = [process.execPath, "--import", "tsx", MAIN];
  return {
    address,
    path: `/var/run/netns/${name}`,
    enter,
    restore(script) {
      execFileSync(IP, [...enter.slice(1), "iptables-restore", "--noflush"], { input: script });
    },
    async serve(...ports) {
      const command = [...enter.slice(1), ...program, "serve", "0.0.0.0", ...ports.map(String)];
      const child = spawn(IP, command, { stdio: ["ignore", "pipe", "inherit"] });
      children.push(child);
      await once(child.stdout, "data");
    },
    call<T>(kind: string, target: Target, text: string, asProxy = false): Promise<T> {
      const command = [...(asProxy ? AS_PROXY : []), ...program, "call", kind, JSON.stringify(target), text];
      return new Promise((resolve, reject) => {
        execFile(IP, [...enter.slice(1), ...command], (error, stdout) => {
          if (error !== null) return reject(error);
          const answer = JSON.parse(stdout) as { value?: T; error?: string };
          return answer.error === undefined ? resolve(answer.value as T) : reject(new Error(answer.error));
        });
      });
    },
  };
}
