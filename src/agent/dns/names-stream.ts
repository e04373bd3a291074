import { readFile } from "node:fs/promises";
import { errorText } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { type DeltaStreamRequest, openDeltaStream } from "../../grpc/ads-client.ts";
import type { CaCredential } from "../../grpc/ca-client.ts";
import { type AgentConfig, PATHS } from "../config.ts";
import { resolveHost } from "../hosts.ts";
import type { Messages } from "../../wire/codec.ts";
import type { NameTable } from "./names.ts";

/** Metadata is read from JSON and the environment: plain data. */
type Struct = NonNullable<Messages["envoy.config.core.v3.Node"]["metadata"]>;

export interface NamesStreamDeps {
  readonly config: AgentConfig;
  /** The certificate that Envoy is served, once there is one. */
  readonly certificate: () => CaCredential | undefined;
  readonly onTable: (table: NameTable) => void;
  readonly log: Logger;
}

const TYPE_URL = "type.googleapis.com/istio.networking.nds.v1.NameTable";
/** Milliseconds between tries, as Envoy's own (bootstrap.ts): a restarted meshd is found within a second. */
const RETRY = { first: 100, most: 1_000 } as const;

/**
 * Follows the name table that meshd has for this proxy, on a stream of the agent's own beside Envoy's. Comes back by itself
 * when the stream ends, without being sent again what it has; while meshd is away the last table stands. Shows the workload's
 * certificate, and the token when there is none yet or it was not taken. Returns how to end it.
 */
export function followNames(deps: NamesStreamDeps): () => void {
  const { certificate, onTable, log } = deps;
  const abort = new AbortController();
  let held: Readonly<Record<string, string>> = {};
  let byToken = false;
  let wait: number = RETRY.first;
  let last = "";
  let endStream: () => void = () => undefined;
  let timer: NodeJS.Timeout | undefined;

  const take = (table: NameTable, versions: typeof held): void => {
    onTable(table);
    held = versions;
  };
  const again = (error: string | undefined): void => {
    if (abort.signal.aborted) return;
    if (error !== undefined && error !== last) log.warn({}, `no stream of names: ${error}`);
    last = error ?? "";
    timer = setTimeout(() => void open(), wait * (0.5 + Math.random() / 2));
    timer.unref();
    wait = Math.min(RETRY.most, wait * 2);
  };
  const open = async (): Promise<void> => {
    try {
      const request = await streamRequest(deps.config, byToken ? undefined : certificate(), held);
      if (abort.signal.aborted) return;
      endStream = openDeltaStream(request, {
        onResource: (name, version, resource) => take(resource as NameTable, { [name]: version }),
        onRemoved: () => take({}, {}),
        onSettled: () => {
          wait = RETRY.first;
          last = "";
        },
        onEnd: ({ error, refused }) => {
          byToken = refused && !byToken;
          again(error);
        },
      });
    } catch (error) {
      again(errorText(error));
    }
  };
  void open();
  return () => {
    abort.abort();
    clearTimeout(timer);
    endStream();
  };
}

async function streamRequest(
  config: AgentConfig,
  certificate: CaCredential | undefined,
  held: Readonly<Record<string, string>>,
): Promise<DeltaStreamRequest> {
  const clusterId = config.metadata["CLUSTER_ID"];
  return {
    address: await resolveHost(config.discovery),
    serverName: config.serverName,
    roots: await readFile(config.rootCert, "utf8"),
    credential: certificate ?? (await readToken()),
    clusterId: typeof clusterId === "string" ? clusterId : undefined,
    node: { id: config.nodeId, cluster: config.nodeCluster, metadata: config.metadata as Struct },
    typeUrl: TYPE_URL,
    held,
  };
}

async function readToken(): Promise<CaCredential> {
  return { kind: "token", token: (await readFile(PATHS.token, "utf8")).trim() };
}
