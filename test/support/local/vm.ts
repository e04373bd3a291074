import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
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
  /** Ends all that runs in it; the link goes with the namespace. */
  remove(): Promise<void>;
}

export interface MachineProcess {
  readonly process: ChildProcess;
  output(): string;
  readonly exited: Promise<unknown>;
}

/** Where each file of `workload entry configure` belongs, as in docs/guides/virtual-machines.md. */
const PLACES: Readonly<Record<string, string>> = {
  "cluster.env": "var/lib/istio/envoy/cluster.env",
  "mesh.yaml": "etc/istio/config/mesh",
  "root-cert.pem": "etc/certs/root-cert.pem",
  "istio-token": "var/run/secrets/tokens/istio-token",
  hosts: "etc/hosts",
};

/** `node`: a process in the node's network namespace; `subnet`: the first three numbers of an address range nobody uses. */
export async function createMachine(node: number, subnet: string): Promise<Machine> {
  const root = mkdtempSync(join(tmpdir(), "mesh-vm-"));
  chmodSync(root, 0o755);
  const holder = spawn("unshare", ["--net", "sleep", "3600"], { stdio: "ignore" });
  const pid = holder.pid ?? 0;
  const own = readlinkSync("/proc/self/ns/net");
  await waitFor(() => readlinkSync(`/proc/${pid}/ns/net`) !== own, { what: "a network namespace" });
  const inside = ["--target", String(pid), "--net"];
  const atNode = (...argv: readonly string[]): void => {
    execFileSync("nsenter", ["--target", String(node), "--net", ...argv]);
  };
  const ip = `${subnet}.2`;
  const link = `vm${pid}`;
  atNode("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", String(pid));
  atNode("ip", "address", "add", `${subnet}.1/30`, "dev", link);
  atNode("ip", "link", "set", link, "up");
  const run = (...argv: readonly string[]): string =>
    execFileSync("nsenter", [...inside, `--wd=${root}`, ...argv], { encoding: "utf8" });
  run("ip", "link", "set", "lo", "up");
  run("ip", "address", "add", `${ip}/30`, "dev", "eth0");
  run("ip", "link", "set", "eth0", "up");
  run("ip", "route", "add", "default", "via", `${subnet}.1`);
  const started: MachineProcess[] = [];
  return {
    ip,
    root,
    run,
    start(uid, env, ...argv) {
      const user = ["setpriv", "--reuid", String(uid), "--regid", String(uid), "--clear-groups", "--"];
      const child = spawn("nsenter", [...inside, `--wd=${root}`, ...user, ...argv], {
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
    async remove() {
      for (const { process: child } of started) child.kill("SIGKILL");
      await Promise.all(started.map(({ exited }) => exited));
      holder.kill("SIGKILL");
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Puts the files where the agent looks for them, for the agent's user. */
export function installFiles(machine: Machine, folder: string, uid: number): void {
  for (const [name, place] of Object.entries(PLACES)) {
    const path = join(machine.root, place);
    mkdirSync(dirname(path), { recursive: true });
    copyFileSync(join(folder, name), path);
    execFileSync("chown", [`${uid}:${uid}`, path]);
  }
  // What the agent writes.
  for (const name of ["etc/istio/proxy", "etc/certs", "var/run/secrets/workload-spiffe-uds"]) {
    mkdirSync(join(machine.root, name), { recursive: true });
    execFileSync("chown", ["-R", `${uid}:${uid}`, join(machine.root, name)]);
  }
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
