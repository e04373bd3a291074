import { readFile } from "node:fs/promises";
import { compact } from "../base/compact.ts";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { type DeltaStreamRequest, openDeltaStream } from "../grpc/ads-client.ts";
import type { CaCredential } from "../grpc/ca-client.ts";
import type { Messages, TypedAny } from "../wire/codec.ts";
import { type AgentConfig, PATHS } from "./config.ts";
import { resolveHost } from "./hosts.ts";

/** Metadata is read from JSON and the environment: plain data. */
type Struct = NonNullable<Messages["envoy.config.core.v3.Node"]["metadata"]>;

/** Who asks, and whom. */
export type StreamConfig = Pick<
  AgentConfig,
  "discovery" | "serverName" | "rootCert" | "nodeId" | "nodeCluster" | "metadata"
>;

export interface FollowDeps {
  readonly config: StreamConfig;
  /** The certificate that Envoy is served, once there is one. */
  readonly certificate: () => CaCredential | undefined;
  readonly typeUrl: string;
  /** Which of them; absent: all that meshd has for this proxy. */
  readonly names?: readonly string[];
  /** In messages: `names`. */
  readonly what: string;
  readonly onResource: (name: string, resource: TypedAny) => void;
  readonly onRemoved: (name: string) => void;
  readonly log: Logger;
}

/** Milliseconds between tries, as Envoy's own (bootstrap.ts): a restarted meshd is found within a second. */
const RETRY = { first: 100, most: 1_000 } as const;

/**
 * Follows the resources of a type that meshd has for this proxy, on a stream of the agent's own beside Envoy's. Comes back by itself
 * when the stream ends, without being sent again what it has; while meshd is away the last ones stand. Shows the workload's
 * certificate, and the token when there is none yet or it was not taken. Returns how to end it.
 */
export function followResources({ config, certificate, log, ...deps }: FollowDeps): () => void {
  const abort = new AbortController();
  const held = new Map<string, string>();
  let byToken = false;
  let wait: number = RETRY.first;
  let last = "";
  let endStream: () => void = () => undefined;
  let timer: NodeJS.Timeout | undefined;

  const again = (error: string | undefined): void => {
    if (abort.signal.aborted) return;
    if (error !== undefined && error !== last) log.warn({}, `no stream of ${deps.what}: ${error}`);
    last = error ?? "";
    timer = setTimeout(() => void open(), wait * (0.5 + Math.random() / 2));
    timer.unref();
    wait = Math.min(RETRY.most, wait * 2);
  };
  const open = async (): Promise<void> => {
    try {
      const credential = (byToken ? undefined : certificate()) ?? (await readToken());
      const request = await requestOf(config, credential);
      if (abort.signal.aborted) return;
      endStream = openDeltaStream(
        { ...request, ...compact({ names: deps.names }), typeUrl: deps.typeUrl, held: Object.fromEntries(held) },
        {
          onResource(name, version, resource) {
            deps.onResource(name, resource);
            held.set(name, version);
          },
          onRemoved(name) {
            held.delete(name);
            deps.onRemoved(name);
          },
          onSettled() {
            wait = RETRY.first;
            last = "";
          },
          onEnd({ error, refused }) {
            byToken = refused && !byToken;
            again(error);
          },
        },
      );
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

async function requestOf(
  config: StreamConfig,
  credential: CaCredential,
): Promise<Omit<DeltaStreamRequest, "typeUrl" | "held">> {
  const clusterId = config.metadata["CLUSTER_ID"];
  return {
    address: await resolveHost(config.discovery),
    serverName: config.serverName,
    roots: await readFile(config.rootCert, "utf8"),
    credential,
    clusterId: typeof clusterId === "string" ? clusterId : undefined,
    node: { id: config.nodeId, cluster: config.nodeCluster, metadata: config.metadata as Struct },
  };
}

async function readToken(): Promise<CaCredential> {
  return { kind: "token", token: (await readFile(PATHS.token, "utf8")).trim() };
}
