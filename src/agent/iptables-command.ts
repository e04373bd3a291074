import { durationMs } from "../base/duration.ts";
import { errorText, UsageError } from "../base/errors.ts";
import { readResolvConf } from "./dns/resolv-conf.ts";
import { buildRules, needsRoute } from "./iptables.ts";
import { type CaptureArgs, captureArgs, type FlagValues, port } from "./iptables-args.ts";
import { readFlags } from "./iptables-flags.ts";
import { applyScript, cleanScript, isInPlace } from "./iptables-script.ts";
import type { IptablesTools, ToolsOptions } from "./iptables-tools.ts";
import type { VerifyOptions } from "./iptables-verify.ts";
import type { Env, ReadFile } from "./metadata.ts";

/** Text in and out, and the tools of the system; tests hand in recorders. */
export interface IptablesIo {
  readonly out: (text: string) => void;
  readonly env: Env;
  readonly readFile: ReadFile;
  readonly tools: (options: ToolsOptions) => IptablesTools;
  readonly verify: (options: VerifyOptions) => Promise<boolean>;
}

/** Capture does not work: the exit code by which a CNI plug-in's repair finds the pod. */
export const NOT_CAPTURED = 126;

const RESOLV_CONF = "/etc/resolv.conf";

/**
 * `mesh-agent istio-iptables …`: the capture rules of this network namespace, so that a second run changes nothing and a run with
 * other flags leaves only its own rules. Resolves with the exit code. Throws UsageError and EnvironmentError.
 */
export async function applyIptables(args: readonly string[], io: IptablesIo): Promise<number> {
  const flags = readFlags(args, io.env);
  const wanted = captureArgs(flags, flags["redirect-dns"] === "true" ? resolvers(flags, io) : []);
  const tools = io.tools({ namespace: flags["network-namespace"], backend: flags["force-iptables-binary"] });
  if (flags["cleanup-only"] === "true") return clean({ flags, wanted, tools, io });
  if (flags["skip-rule-apply"] !== "true") await apply({ flags, wanted, tools, io });
  if (flags["run-validation"] !== "true" || flags["dry-run"] === "true") return 0;
  return verify({ flags, wanted, tools, io });
}

/** `mesh-agent istio-clean-iptables`: takes the rules away; nothing to do is success. */
export async function cleanIptables(args: readonly string[], io: IptablesIo): Promise<number> {
  return applyIptables([...args, "--cleanup-only"], io);
}

interface Run {
  readonly flags: FlagValues;
  readonly wanted: CaptureArgs;
  readonly tools: IptablesTools;
  readonly io: IptablesIo;
}

async function apply({ flags, wanted, tools, io }: Run): Promise<void> {
  const route = { mark: wanted.tproxyMark, table: wanted.tproxyTable };
  for (const family of await tools.families()) {
    const rules = buildRules(wanted, family);
    if (flags["dry-run"] === "true") {
      io.out(`# ${family} (dry run)\n${applyScript(rules, "")}`);
      continue;
    }
    const saved = await tools.save(family);
    if (family === "ipv6") await tools.addInboundSource();
    if (needsRoute(wanted)) await tools.addRoute(family, route);
    else if (hasRoute(saved)) await tools.removeRoute(family, route);
    if (flags["force-apply"] !== "true" && isInPlace(rules, saved)) {
      io.out(`# ${family}: the rules are in place\n`);
      continue;
    }
    const script = applyScript(rules, saved);
    await tools.restore(family, script);
    io.out(`# ${family}\n${script}`);
  }
}

/** Whether these tables are those of TPROXY, with which a policy route comes. */
function hasRoute(saved: string): boolean {
  return saved.includes(":ISTIO_TPROXY ");
}

async function clean({ flags, wanted, tools, io }: Run): Promise<number> {
  for (const family of await tools.families()) {
    const saved = await tools.save(family);
    const script = cleanScript(saved);
    if (script === undefined) continue;
    io.out(`# ${family}${flags["dry-run"] === "true" ? " (dry run)" : ""}\n${script}`);
    if (flags["dry-run"] === "true") continue;
    await tools.restore(family, script);
    if (hasRoute(saved)) await tools.removeRoute(family, { mark: wanted.tproxyMark, table: wanted.tproxyTable });
  }
  return 0;
}

async function verify({ flags, wanted, tools, io }: Run): Promise<number> {
  if (wanted.proxyMark !== undefined)
    throw new UsageError(
      "--run-validation: only the proxy's own sockets carry --proxy-mark, so capture cannot be tried",
    );
  const probePort = port("iptables-probe-port", flags["iptables-probe-port"] ?? "15002");
  const given = flags["probe-timeout"] ?? "5s";
  const timeout = durationMs(given);
  if (timeout === undefined) throw new UsageError(`--probe-timeout: expected a duration such as 5s, got ${given}`);
  for (const family of await tools.families()) {
    if (await io.verify({ args: wanted, family, probePort, timeout })) {
      io.out(`# ${family}: traffic is captured\n`);
      continue;
    }
    io.out(
      `# ${family}: traffic is not captured: a connection to port ${probePort} of loopback did not reach the proxy's port ` +
        `within ${given}.\nThe pod may have started before the CNI plug-in of its node: delete it, so that it is made again.\n`,
    );
    return NOT_CAPTURED;
  }
  return 0;
}

/** Name servers of this host; all queries are captured without asking for them. Throws UsageError when they cannot be read. */
function resolvers(flags: FlagValues, { readFile, out }: IptablesIo): readonly string[] {
  if (flags["capture-all-dns"] === "true") return [];
  let text: string | undefined;
  try {
    text = readFile(RESOLV_CONF);
  } catch (cause) {
    throw new UsageError(`--redirect-dns: cannot read ${RESOLV_CONF}: ${errorText(cause)}`);
  }
  // A rule names no zone: a link-local resolver is one address, whichever link it is on.
  const servers = readResolvConf(text ?? "").servers.map((address) => address.replace(/%.*/, ""));
  if (servers.length === 0)
    out(`# ${RESOLV_CONF} names no server: no DNS is captured; --capture-all-dns captures all\n`);
  return servers;
}
