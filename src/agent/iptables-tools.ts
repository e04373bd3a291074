import { spawn } from "node:child_process";
import { networkInterfaces } from "node:os";
import { EnvironmentError, errorText, UsageError } from "../base/errors.ts";
import type { Family } from "./iptables-args.ts";

/** iptables of one network namespace. All throw EnvironmentError. */
export interface IptablesTools {
  /** Families with an address to capture: IPv6 only when there is an address beyond link-local. */
  families(): Promise<readonly Family[]>;
  /** `iptables-save`: all tables. */
  save(family: Family): Promise<string>;
  /** `iptables-restore --noflush` with this input. */
  restore(family: Family, script: string): Promise<void>;
  /** Gives loopback the IPv6 source address of inbound connections; IPv4 has all of 127/8. */
  addInboundSource(): Promise<void>;
  /** Packets with the mark stay in this host, whatever their destination. */
  addRoute(family: Family, route: PolicyRoute): Promise<void>;
  /** Takes such a route away; none is success. */
  removeRoute(family: Family, route: PolicyRoute): Promise<void>;
}

export interface PolicyRoute {
  readonly mark: number;
  readonly table: number;
}

export interface ToolsOptions {
  /** Path of another network namespace to work in; undefined: the process's own. */
  readonly namespace?: string | undefined;
  /** `nft` or `legacy`; undefined: whichever has rules already, else the system's choice. */
  readonly backend?: string | undefined;
}

type Backend = "-nft" | "-legacy" | "";

/** Seconds to wait for another process that changes rules. */
const LOCK_WAIT = 30;

/** The real tools, found on PATH. Throws UsageError for an unknown backend. */
export function systemIptables({ namespace, backend }: ToolsOptions = {}): IptablesTools {
  if (backend !== undefined && backend !== "" && backend !== "nft" && backend !== "legacy")
    throw new UsageError(`--force-iptables-binary: expected nft or legacy, got ${backend}`);
  const run = (command: string, args: readonly string[], input = ""): Promise<string> =>
    namespace === undefined
      ? runTool(command, args, input)
      : // The lock of legacy tools is the whole file system's: here each namespace has its own.
        runTool("nsenter", [`--net=${namespace}`, "--", command, ...args], input, { XTABLES_LOCKFILE: namespace });
  let chosen: Promise<Backend> | undefined;
  const tool = async (family: Family, suffix: string): Promise<string> => {
    chosen ??= backend === undefined || backend === "" ? detectBackend(run) : Promise.resolve(`-${backend}` as Backend);
    return `${family === "ipv4" ? "iptables" : "ip6tables"}${await chosen}-${suffix}`;
  };
  const ip = (family: Family, ...args: readonly string[]): Promise<string> =>
    run("ip", [family === "ipv4" ? "-4" : "-6", ...args]);
  return {
    families: async () => ((await hasIpv6(namespace, run)) ? ["ipv4", "ipv6"] : ["ipv4"]),
    save: async (family) => run(await tool(family, "save"), []),
    restore: async (family, script) => {
      await run(await tool(family, "restore"), ["--noflush", `--wait=${LOCK_WAIT}`], script);
    },
    addInboundSource: async () => {
      await ip("ipv6", "address", "replace", "::6/128", "dev", "lo");
    },
    addRoute: async (family, { mark, table }) => {
      const all = family === "ipv4" ? "0.0.0.0/0" : "::/0";
      await ip(family, "route", "replace", "local", all, "dev", "lo", "table", String(table));
      const rule = ["fwmark", String(mark), "lookup", String(table)];
      if ((await ip(family, "rule", "list", ...rule)).trim() === "") await ip(family, "rule", "add", ...rule);
    },
    removeRoute: async (family, { mark, table }) => {
      const rule = ["fwmark", String(mark), "lookup", String(table)];
      if ((await ip(family, "rule", "list", ...rule)).trim() === "") return;
      await ip(family, "rule", "del", ...rule);
      await ip(family, "route", "flush", "table", String(table));
    },
  };
}

type Run = (command: string, args: readonly string[]) => Promise<string>;

/**
 * The two backends of the kernel do not see each other's rules, and packets pass both: whoever has rules in this namespace says
 * which one is used in it. Without any it is what the system calls iptables.
 */
async function detectBackend(run: Run): Promise<Backend> {
  const found: Backend[] = [];
  for (const backend of ["-legacy", "-nft"] as const) {
    const saved = await run(`iptables${backend}-save`, []).catch(() => undefined);
    if (saved === undefined) continue;
    if (/^-A /m.test(saved)) return backend;
    found.push(backend);
  }
  const system = await run("iptables-save", ["--version"]).catch(() => undefined);
  return system === undefined ? (found.at(-1) ?? "") : "";
}

async function hasIpv6(namespace: string | undefined, run: Run): Promise<boolean> {
  if (namespace !== undefined)
    return (await run("ip", ["-6", "-o", "address", "show", "scope", "global"])).includes("inet6 ");
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .some((address) => address.family === "IPv6" && !address.internal && !address.address.startsWith("fe80"));
}

function runTool(
  command: string,
  args: readonly string[],
  input: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", (cause) => reject(failed(command, errorText(cause), cause)));
    child.on("close", (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString());
      else reject(failed(command, Buffer.concat(err).toString().trim() || `exit code ${code}`, undefined));
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

function failed(command: string, words: string, cause: unknown): EnvironmentError {
  return new EnvironmentError("agent-iptables", `${command}: ${words}`, {
    hint: "Run as root with NET_ADMIN and NET_RAW, with iptables installed.",
    cause,
  });
}
