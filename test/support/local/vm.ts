import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { waitFor } from "../wait.ts";

const repository = fileURLToPath(new URL("../../..", import.meta.url));

/** A machine outside the cluster: a network namespace with one link to the node's, and a folder that stands for its root. */
export interface Machine {
  readonly ip: string;
  /** Its root directory. */
  readonly root: string;
  /** Runs a program in it as a user and leaves it running; what it prints is kept. */
  start(uid: number, env: Readonly<Record<string, string>>, ...argv: readonly string[]): MachineProcess;
  /** Runs a program in it as root, in its root directory, to its end. */
  run(...argv: readonly string[]): string;
  /** Ends all that runs in it from one moment to the next, as when its power fails. */
  crash(): Promise<void>;
  /** The same; the link goes with the namespace, and its files. */
  remove(): Promise<void>;
}

export interface MachineProcess {
  readonly process: ChildProcess;
  output(): string;
  readonly exited: Promise<unknown>;
}

/** How a machine is set up, beyond an address. */
export interface MachineOptions {
  /** Its host name; default: this machine's. */
  readonly hostname?: string;
  /** Its name server; default: this machine's. */
  readonly resolvConf?: string;
}

/** What the machine's first process does: its own host name and files of /etc, where it is to have some. */
const SETTLE = `
set -e
[ -z "$1" ] || hostname "$1"
mount --bind "$2/etc/hosts" /etc/hosts
[ ! -e "$2/etc/resolv.conf" ] || mount --bind "$2/etc/resolv.conf" /etc/resolv.conf
echo settled
exec sleep 3600
`;

/** `node`: a process in the node's network namespace; `subnet`: the first three numbers of an address range nobody uses. */
export async function createMachine(node: number, subnet: string, options: MachineOptions = {}): Promise<Machine> {
  const root = mkdtempSync(join(tmpdir(), "mesh-vm-"));
  chmodSync(root, 0o755);
  mkdirSync(join(root, "etc"));
  writeFileSync(join(root, "etc/hosts"), "127.0.0.1 localhost\n");
  if (options.resolvConf !== undefined) writeFileSync(join(root, "etc/resolv.conf"), options.resolvConf);
  const kinds = ["--net", "--uts", "--mount"];
  const settle = ["--propagation", "private", "sh", "-c", SETTLE, "sh", options.hostname ?? "", root];
  const holder = spawn("unshare", [...kinds, ...settle], { stdio: ["ignore", "pipe", "inherit"] });
  const pid = holder.pid ?? 0;
  let said = "";
  holder.stdout.on("data", (text: Buffer) => (said += text.toString()));
  await waitFor(() => said.includes("settled"), { what: "a machine's namespaces" });
  // Into its folder once it is inside: names of folders mean what they mean there.
  const inside = ["--target", String(pid), ...kinds, "--", "sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", root];
  const atNode = (...argv: readonly string[]): void => {
    execFileSync("nsenter", ["--target", String(node), "--net", ...argv]);
  };
  const ip = `${subnet}.2`;
  const link = `vm${pid}`;
  atNode("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", String(pid));
  atNode("ip", "address", "add", `${subnet}.1/30`, "dev", link);
  atNode("ip", "link", "set", link, "up");
  const run = (...argv: readonly string[]): string =>
    execFileSync("nsenter", [...inside, ...argv], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  run("ip", "link", "set", "lo", "up");
  run("ip", "address", "add", `${ip}/30`, "dev", "eth0");
  run("ip", "link", "set", "eth0", "up");
  run("ip", "route", "add", "default", "via", `${subnet}.1`);
  const started: MachineProcess[] = [];
  const crash = async (): Promise<void> => {
    // What programs started too, as the agent its Envoy.
    for (const other of sharingNetwork(pid)) if (other !== pid) process.kill(other, "SIGKILL");
    await Promise.all(started.map(({ exited }) => exited));
  };
  return {
    ip,
    root,
    run,
    start(uid, env, ...argv) {
      const user = ["setpriv", "--reuid", String(uid), "--regid", String(uid), "--clear-groups", "--"];
      const child = spawn("nsenter", [...inside, ...user, ...argv], {
        env: { PATH: process.env["PATH"], HOME: root, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const chunks: string[] = [];
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk: Buffer) => chunks.push(chunk.toString()));
      const exited = new Promise((resolve) => child.on("exit", resolve));
      const running = { process: child, output: () => chunks.join(""), exited };
      started.push(running);
      return running;
    },
    crash,
    async remove() {
      await crash();
      holder.kill("SIGKILL");
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Processes in the network namespace of one. */
function sharingNetwork(pid: number): readonly number[] {
  const namespaceOf = (of: string | number): string | undefined => {
    try {
      return readlinkSync(`/proc/${of}/ns/net`);
    } catch {
      // ended meanwhile
      return undefined;
    }
  };
  const own = namespaceOf(pid);
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return own === undefined ? [] : all.filter((name) => namespaceOf(name) === own).map(Number);
}

/** Puts the files of `workload entry configure` where the agent looks for them, by the script that machines have. */
export function installFiles(machine: Machine, folder: string): void {
  const script = join(repository, "images/machine/mesh-join");
  execFileSync("sh", [script, folder], { env: { ...process.env, ROOT: machine.root }, stdio: "pipe" });
}

/** cluster.env as systemd's EnvironmentFile reads it; for values without quotes in them. */
export function readEnvironment(text: string): Readonly<Record<string, string>> {
  const lines = text.split("\n").filter((line) => line.includes("="));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1).replace(/^'(.*)'$/, "$1")];
    }),
  );
}

/** The built agent's program. */
export const AGENT: readonly string[] = [process.execPath, join(repository, "bin/mesh-agent.js")];

/** Writes a program into the machine and says where. */
export function installProgram(machine: Machine, name: string, text: string): string {
  const path = join(machine.root, name);
  writeFileSync(path, text, { mode: 0o755 });
  return path;
}
