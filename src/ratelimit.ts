import { isIP } from "node:net";
import { parseArgs } from "node:util";
import { levelName } from "./agent/config.ts";
import { createLog } from "./agent/log.ts";
import { errorText, MeshError, UsageError } from "./base/errors.ts";
import { VERSION } from "./gen/version.ts";
import { openCluster } from "./kube/cluster.ts";
import {
  createRateLimitService,
  type RateLimitOptions,
  type RateLimitService,
  type ReplicaSource,
} from "./ratelimit/main.ts";
import { replicaName } from "./ratelimit/members.ts";

const USAGE = `usage: meshd ratelimit [flags]

The rate limit service: counts requests for all proxies of the mesh, by the limits that they send.

  --grpcAddr ADDR         envoy.service.ratelimit.v3.RateLimitService, mutual TLS only (default :8081)
  --httpAddr ADDR         readiness and metrics (default :8080)
  --self HOST:PORT        how other replicas reach this one (default: INSTANCE_IP and the port of --grpcAddr)
  --service NAME          replicas are the ready pods of this Service, in POD_NAMESPACE
  --peers LIST            replicas in place of a Service: HOST:PORT, comma separated
  --certificates DIR      cert-chain.pem, key.pem, root-cert.pem (default: the mesh's CA is asked)
  --max-keys N            how many values are counted at a time (default 500000)
  --kubeconfig FILE       cluster of --service (default: the pod's service account)
  --log_output_level L    debug, info, warn or error (default info)
`;

const FLAGS = {
  grpcAddr: { type: "string", default: ":8081" },
  httpAddr: { type: "string", default: ":8080" },
  self: { type: "string" },
  service: { type: "string" },
  peers: { type: "string" },
  certificates: { type: "string" },
  "max-keys": { type: "string", default: "500000" },
  kubeconfig: { type: "string" },
  log_output_level: { type: "string", default: "info" },
  help: { type: "boolean", short: "h" },
} as const;

type Env = Readonly<Record<string, string | undefined>>;
type Flags = ReturnType<typeof readFlags>;

function readFlags(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: FLAGS }).values;
  } catch (error) {
    throw new UsageError(errorText(error));
  }
}

/** `:8081` is all addresses, or the one that the node gives this workload. */
function address(flag: string, text: string, env: Env): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3] ?? -1);
  if (match === null || port > 65_535)
    throw new UsageError(`--${flag}: expected an address such as :8081, got ${text}`);
  const host = match[1] ?? match[2] ?? "";
  if (host !== "") return { host, port };
  return { host: env["BIND_ADDRESS"] || (isIP(env["INSTANCE_IP"] ?? "") === 6 ? "::" : "0.0.0.0"), port };
}

async function replicasOf(flags: Flags, env: Env): Promise<ReplicaSource> {
  const { service, peers, kubeconfig } = flags;
  if (service === undefined) {
    const replicas = (peers ?? "").split(",").filter((replica) => replica !== "");
    return { kind: "list", replicas };
  }
  if (peers !== undefined) throw new UsageError("--service and --peers exclude each other");
  const cluster = await openCluster({ ...(kubeconfig === undefined ? {} : { kubeconfig }), env });
  return { kind: "service", cluster, namespace: env["POD_NAMESPACE"] ?? "istio-system", name: service };
}

async function optionsOf(flags: Flags, env: Env): Promise<RateLimitOptions> {
  const grpc = address("grpcAddr", flags.grpcAddr, env);
  const level = levelName(flags.log_output_level.slice(flags.log_output_level.lastIndexOf(":") + 1));
  if (level === undefined)
    throw new UsageError(`--log_output_level: expected debug, info, warn or error, got ${flags.log_output_level}`);
  const maxKeys = Number(flags["max-keys"]);
  if (!Number.isInteger(maxKeys) || maxKeys < 1)
    throw new UsageError(`--max-keys: expected a whole number, got ${flags["max-keys"]}`);
  return {
    grpc,
    http: address("httpAddr", flags.httpAddr, env),
    self: flags.self ?? replicaName(env["INSTANCE_IP"] ?? "127.0.0.1", grpc.port),
    replicas: await replicasOf(flags, env),
    certificates: flags.certificates,
    maxKeys,
    env,
    version: VERSION,
    log: createLog(level, levelName).log,
  };
}

/** The program `meshd ratelimit`: resolves with its exit code (0 stopped, 2 could not run). */
export async function main(argv: readonly string[], env: Env): Promise<number> {
  try {
    const flags = readFlags(argv);
    if (flags.help === true) {
      process.stdout.write(USAGE);
      return 0;
    }
    const options = await optionsOf(flags, env);
    return await untilSignal(createRateLimitService(options));
  } catch (error) {
    const hint = error instanceof MeshError && error.hint !== undefined ? `\n${error.hint}` : "";
    const usage = error instanceof UsageError ? `\n${USAGE}` : "";
    process.stderr.write(`meshd ratelimit: ${errorText(error)}${hint}${usage}\n`);
    return 2;
  }
}

async function untilSignal(service: RateLimitService): Promise<number> {
  const stopped = new Promise<void>((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve());
  });
  try {
    await Promise.race([service.start(), stopped]);
    await stopped;
  } finally {
    await service.close();
  }
  return 0;
}
