import { spawn } from "node:child_process";
import { networkInterfaces } from "node:os";
import { parseArgs } from "node:util";
import { EnvironmentError, errorText, UsageError } from "../base/errors.ts";
import { applyScript, buildRules, captureArgs, cleanScript, type Family } from "./iptables.ts";

/** Text out, and the tools of the system; tests hand in recorders. */
export interface IptablesIo {
  readonly out: (text: string) => void;
  readonly tools: IptablesTools;
}

/** iptables of one network namespace: the process's own. */
export interface IptablesTools {
  /** Families with an address to capture: IPv6 only when the pod has an IPv6 address beyond link-local. */
  families(): readonly Family[];
  /** `iptables-save -t nat`. Throws EnvironmentError. */
  save(family: Family): Promise<string>;
  /** `iptables-restore --noflush` with this input: all of it or nothing. Throws EnvironmentError. */
  restore(family: Family, script: string): Promise<void>;
  /** Gives loopback the IPv6 source address of inbound connections; IPv4 has all of 127/8. */
  addInboundSource(): Promise<void>;
}

const OPTIONS = {
  "envoy-port": { type: "string", short: "p" },
  "inbound-capture-port": { type: "string", short: "z" },
  "inbound-tunnel-port": { type: "string", short: "e" },
  "proxy-uid": { type: "string", short: "u" },
  "proxy-gid": { type: "string", short: "g" },
  "istio-inbound-interception-mode": { type: "string", short: "m" },
  "istio-service-cidr": { type: "string", short: "i" },
  "istio-service-exclude-cidr": { type: "string", short: "x" },
  "istio-inbound-ports": { type: "string", short: "b" },
  "istio-local-exclude-ports": { type: "string", short: "d" },
  "istio-outbound-ports": { type: "string", short: "q" },
  "istio-local-outbound-ports-exclude": { type: "string", short: "o" },
  "kube-virt-interfaces": { type: "string", short: "k" },
  "istio-exclude-interfaces": { type: "string", short: "c" },
  "dry-run": { type: "boolean", short: "n" },
  "force-apply": { type: "boolean" },
  log_output_level: { type: "string" },
  log_as_json: { type: "boolean" },
} as const;

/**
 * `mesh-agent istio-iptables …`: the capture rules of this network namespace, in one transaction per address family, so
 * that a second run leaves the same rules and a failed one leaves the old. Throws UsageError and EnvironmentError.
 */
export async function applyIptables(args: readonly string[], io: IptablesIo): Promise<void> {
  const values = parse(args);
  const mode = values["istio-inbound-interception-mode"] ?? "REDIRECT";
  if (mode !== "REDIRECT") {
    throw new UsageError(`--istio-inbound-interception-mode: expected REDIRECT, got ${mode}`);
  }
  const { "dry-run": dryRun, "force-apply": _force, log_as_json: _json, ...text } = values;
  const wanted = captureArgs(text);
  for (const family of io.tools.families()) {
    const rules = buildRules(wanted, family);
    const script = applyScript(rules, dryRun === true ? "" : await io.tools.save(family));
    if (dryRun !== true) {
      if (family === "ipv6") await io.tools.addInboundSource();
      await io.tools.restore(family, script);
    }
    io.out(`# ${family}${dryRun === true ? " (dry run)" : ""}\n${script}`);
  }
}

/** `mesh-agent istio-clean-iptables`: takes the rules away; nothing to do is success. */
export async function cleanIptables(args: readonly string[], io: IptablesIo): Promise<void> {
  const values = parse(args);
  for (const family of io.tools.families()) {
    const script = cleanScript(await io.tools.save(family));
    if (script === undefined) continue;
    if (values["dry-run"] !== true) await io.tools.restore(family, script);
    io.out(`# ${family}\n${script}`);
  }
}

/** The real tools, found on PATH. */
export function systemIptables(): IptablesTools {
  const prefix = (family: Family): string => (family === "ipv4" ? "iptables" : "ip6tables");
  return {
    families: () => (hasIpv6() ? ["ipv4", "ipv6"] : ["ipv4"]),
    save: (family) => run(`${prefix(family)}-save`, ["-t", "nat"], ""),
    restore: async (family, script) => {
      await run(`${prefix(family)}-restore`, ["--noflush", "--wait=30"], script);
    },
    addInboundSource: async () => {
      await run("ip", ["-6", "address", "replace", "::6/128", "dev", "lo"], "");
    },
  };
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({ args: attachValues(args), options: OPTIONS, strict: true });
    return values;
  } catch (cause) {
    throw new UsageError(errorText(cause), "Run mesh-agent istio-iptables -p 15001 -z 15006 -u 1337 -m REDIRECT.");
  }
}

/** `-x ''` and `-b '*'` are two words; parseArgs would take an empty word after a short flag only when it is joined. */
function attachValues(args: readonly string[]): string[] {
  const out: string[] = [];
  const flags = Object.entries(OPTIONS);
  for (let i = 0; i < args.length; i += 1) {
    const word = args[i] ?? "";
    const found = flags.find(
      ([name, option]) => word === `--${name}` || ("short" in option && word === `-${option.short}`),
    );
    if (found === undefined || found[1].type === "boolean" || i + 1 >= args.length) out.push(word);
    else {
      i += 1;
      out.push(`--${found[0]}=${args[i]}`);
    }
  }
  return out;
}

function hasIpv6(): boolean {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .some((address) => address.family === "IPv6" && !address.internal && !address.address.startsWith("fe80"));
}

function run(command: string, args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
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
