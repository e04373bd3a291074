import { readFileSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import { applyIptables, cleanIptables } from "./agent/iptables-command.ts";
import { systemIptables } from "./agent/iptables-tools.ts";
import { verifyCapture } from "./agent/iptables-verify.ts";
import { levelName, readConfig } from "./agent/config.ts";
import { createLog } from "./agent/log.ts";
import { callerCommand } from "./agent/caller.ts";
import { type ClientIo, requestCommand, waitCommand } from "./agent/client-commands.ts";
import { HOST_MESH_FILE, hostEnv } from "./agent/host-env.ts";
import type { Env } from "./agent/metadata.ts";
import { MeshError, errorText, UsageError } from "./base/errors.ts";
import { VERSION } from "./gen/version.ts";

const USAGE = `mesh-agent: the companion of one Envoy

  mesh-agent proxy sidecar|router [--domain shop.svc.cluster.local] [--proxyLogLevel warning]
  mesh-agent istio-iptables -p 15001 -z 15006 -u 1337 -m REDIRECT -i '*' -x '' -b '*' -d 15090,15021,15020
  mesh-agent istio-iptables --cleanup | --verify | --dry-run
  mesh-agent istio-clean-iptables
  mesh-agent wait [--url URL] [--timeoutSeconds 60] [--periodMillis 500] [--requestTimeoutMillis 500]
  mesh-agent request [--debug-port 15000] METHOD PATH
  mesh-agent caller [--port 15097] [--idleSeconds 600]
  mesh-agent version
`;

const ALIASES: Readonly<Record<string, string>> = { iptables: "istio-iptables", "--help": "help", "-h": "help" };

/** What the program touches of the outside world. */
interface AgentIo extends ClientIo {
  readonly err: (text: string) => void;
  readonly onTerminate: (act: () => void) => void;
}

/** One command line in, exit code out: the proxy's own for `proxy`, else 0, 1 (a condition failed) or 2 (could not run). */
export async function main(argv: readonly string[], io: AgentIo): Promise<number> {
  const [command, ...args] = argv;
  try {
    return await run(command, args, io);
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    const usage = error instanceof UsageError ? "\nRun mesh-agent --help for the commands." : "";
    io.err(`mesh-agent: ${error.message}\n${error.hint ?? ""}${usage}\n`);
    return 2;
  }
}

/** The whole program: what bin/mesh-agent.js runs. */
export async function start(argv: readonly string[]): Promise<void> {
  process.exitCode = await main(argv, {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    env: process.env,
    onTerminate: (act) => {
      process.on("SIGTERM", act);
      process.on("SIGINT", act);
    },
  });
}

async function capture(act: typeof applyIptables, args: readonly string[], io: AgentIo): Promise<number> {
  if (io.env["ISTIO_META_INTERCEPTION_MODE"] === "NONE") {
    // There may be no network namespace around this pod: the rules would capture the whole machine.
    io.out("nothing is captured: this pod's proxy listens on addresses of its own\n");
    return 0;
  }
  return act(args, { out: io.out, env: io.env, readFile, tools: systemIptables, verify: verifyCapture });
}

/** Programs that talk for somebody else: to the proxy, or from this pod. */
const CLIENTS: ReadonlyMap<string | undefined, typeof callerCommand> = new Map([
  ["wait", waitCommand],
  ["request", requestCommand],
  ["caller", callerCommand],
]);

async function run(command: string | undefined, args: readonly string[], io: AgentIo): Promise<number> {
  const client = CLIENTS.get(command);
  if (client !== undefined) return client(args, io);
  switch (ALIASES[command ?? ""] ?? command ?? "") {
    case "proxy":
      return proxy(args, io);
    case "istio-iptables":
      return capture(applyIptables, args, io);
    case "istio-clean-iptables":
      return capture(cleanIptables, args, io);
    case "version":
      io.out(`${VERSION}\n`);
      return 0;
    case "help":
      io.out(USAGE);
      return 0;
    default:
      throw new UsageError(command === undefined ? "no command given" : `unknown command ${command}`);
  }
}

async function proxy(args: readonly string[], io: AgentIo): Promise<number> {
  const env = await environment(io.env);
  const config = readConfig({ args, env, readFile, version: VERSION });
  const { log, level } = createLog(config.agentLogLevel, levelName);
  // Loaded here, so that istio-init does not pay for gRPC and X.509.
  const { runAgent } = await import("./agent/main.ts");
  log.info(
    { node: config.nodeId, discovery: `${config.discovery.host}:${config.discovery.port}` },
    "mesh-agent starts",
  );
  return runAgent({ config, env, version: VERSION, log, logLevel: level, onTerminate: io.onTerminate });
}

/** The agent's environment; outside the cluster the host adds to it. */
async function environment(env: Env): Promise<Env> {
  const text = readFile(HOST_MESH_FILE);
  if (text === undefined) return env;
  const { parseYaml } = await import("./resources/yaml-plain.ts");
  let mesh: unknown;
  try {
    mesh = parseYaml(text);
  } catch (cause) {
    throw new MeshError("agent-file", `${HOST_MESH_FILE}: ${errorText(cause)}`, { cause });
  }
  const addresses = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).flatMap(({ address, internal }) => (internal || address.startsWith("fe80:") ? [] : [address])),
  );
  return hostEnv(env, { hostname: hostname(), addresses, mesh });
}

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new MeshError("agent-file", `cannot read ${path}: ${errorText(error)}`, { cause: error });
  }
}
