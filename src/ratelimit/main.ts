import { createServer, type Server } from "node:http";
import { createMetrics } from "../agent/metrics.ts";
import { EnvironmentError, errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { connectPeer, type PeerIdentity } from "../grpc/rate-limit-client.ts";
import { rateLimitServices } from "../grpc/rate-limit-server.ts";
import type { ServerIdentity } from "../grpc/mixed-credentials.ts";
import { type GrpcServer, startGrpcServer } from "../grpc/server.ts";
import { readCertificate } from "../pki/certificate.ts";
import { spiffeId } from "../pki/spiffe.ts";
import type { ClusterReader } from "../resources/cluster.ts";
import { createCounts } from "./counts.ts";
import { createIdentitySource } from "./identity.ts";
import { createLimiter, type Limiter } from "./limiter.ts";
import { watchMembers } from "./members.ts";
import { createRateLimitMetrics } from "./metrics.ts";
import { createPeers } from "./peers.ts";

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where the other replicas are: a list, or the ready pods of a Service. */
export type ReplicaSource =
  | { readonly kind: "list"; readonly replicas: readonly string[] }
  | {
      readonly kind: "service";
      readonly cluster: Pick<ClusterReader, "watch">;
      readonly namespace: string;
      readonly name: string;
    };

export interface RateLimitOptions {
  readonly grpc: Address;
  /** Readiness and metrics. */
  readonly http: Address;
  /** `host:port` by which other replicas know this one. */
  readonly self: string;
  readonly replicas: ReplicaSource;
  /** Folder with the certificate; undefined: the mesh's CA is asked. */
  readonly certificates: string | undefined;
  readonly maxKeys: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly log: Logger;
}

export interface RateLimitService {
  /** Resolves when it has a certificate and answers; it is ready when it knows the replicas too. */
  start(): Promise<void>;
  /** Hands on what it counted, then ends. */
  close(): Promise<void>;
}

/**
 * How often what was counted is told to the replica that would count next, in milliseconds: the most that a killed replica takes
 * with it.
 */
const REPLICATE_MS = 100;
const SWEEP_MS = 1_000;
const CLOSE_MS = 2_000;

/**
 * The rate limit service: Envoy asks it about requests by mutual TLS, and it counts them. Each key is counted by one replica, which
 * the others ask; another has a copy.
 */
export function createRateLimitService(options: RateLimitOptions): RateLimitService {
  const { self, log } = options;
  const counts = createCounts(options.maxKeys);
  let identity: PeerIdentity | undefined;
  let membersKnown = options.replicas.kind === "list";
  const peers = createPeers({ self, connect: (replica) => connectPeer(replica, known(identity)), now: Date.now, log });
  const metrics = createRateLimitMetrics({ keys: () => counts.size, replicas: () => peers.counting().length });
  const limiter = createLimiter({ self, counts, peers, now: Date.now, ...metrics });
  const door = createDoor(
    options.grpc,
    servicesOf(limiter, () => known(identity)),
  );
  const ended = new AbortController();
  const agentMetrics = createMetrics(options.version);
  const certificates = createIdentitySource({
    folder: options.certificates,
    env: options.env,
    version: options.version,
    metrics: agentMetrics,
    log,
    onIdentity(next) {
      identity = next;
      peers.reconnect();
      door.show({ certificate: next.chain, key: next.key, clientRoots: next.roots });
    },
  });
  const isReady = (): boolean => identity !== undefined && membersKnown;
  const http = healthServer({ isReady, metrics: () => metrics.text() + agentMetrics.text() });
  const timers: NodeJS.Timeout[] = [];
  const every = (ms: number, act: () => Promise<void> | void): void => {
    timers.push(setInterval(() => void act(), ms).unref());
  };
  return {
    async start() {
      await listen(http, options.http);
      await certificates.start();
      await door.open;
      await follow(options, ended.signal, async (replicas) => {
        await limiter.membersChanged(replicas);
        membersKnown = true;
      });
      every(
        REPLICATE_MS,
        oneAtATime(() => limiter.replicate()),
      );
      every(SWEEP_MS, () => counts.sweep(Date.now()));
    },
    async close() {
      ended.abort();
      for (const timer of timers) clearInterval(timer);
      await certificates.close();
      await door.close();
      await limiter.replicate();
      peers.close();
      http.closeAllConnections();
      http.close();
    },
  };
}

interface Door {
  /** The certificate for new connections; with the first one it opens. */
  show(identity: ServerIdentity): void;
  /** Resolves when it listens; rejects when it cannot. */
  readonly open: Promise<void>;
  close(): Promise<void>;
}

function createDoor(address: Address, services: ReturnType<typeof rateLimitServices>): Door {
  let server: Promise<GrpcServer> | undefined;
  let settle: (opened: Promise<void>) => void = () => undefined;
  const open = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return {
    open,
    show(identity) {
      if (server !== undefined) return void server.then((running) => running.update(identity));
      server = startGrpcServer(address, identity, services);
      settle(server.then(() => undefined));
    },
    close: async () => {
      const running = await server?.catch(() => undefined);
      await running?.close(CLOSE_MS);
    },
  };
}

function known(identity: PeerIdentity | undefined): PeerIdentity {
  if (identity !== undefined) return identity;
  throw new EnvironmentError("no-certificate", "the rate limit service has no certificate yet", {});
}

/** Replicas are told by their identity, which is the service's own. */
function servicesOf(limiter: Limiter, own: () => PeerIdentity): ReturnType<typeof rateLimitServices> {
  return rateLimitServices({
    isReplica(certificate) {
      const { identity } = readCertificate(certificate);
      return identity !== undefined && spiffeId(identity) === own().uri;
    },
    answer: (request, forwarded) => limiter.answer(request, forwarded),
    merge: (counts) => limiter.merge(counts),
  });
}

/** Tells the replicas there are, one change after the other. */
async function follow(
  { replicas, grpc, log }: RateLimitOptions,
  signal: AbortSignal,
  tell: (replicas: readonly string[]) => Promise<void>,
): Promise<void> {
  if (replicas.kind === "list") return tell(replicas.replicas);
  let last: Promise<void> = Promise.resolve();
  const onMembers = (list: readonly string[]): void => {
    last = last.then(() => tell(list));
  };
  const { cluster, namespace, name } = replicas;
  watchMembers({ cluster, service: { namespace, name }, port: grpc.port, onMembers, log, signal }).catch(
    (error: unknown) => log.error({}, errorText(error)),
  );
}

/** A call that comes while the last one runs is left out. */
function oneAtATime(act: () => Promise<void>): () => Promise<void> {
  let isRunning = false;
  return async () => {
    if (isRunning) return;
    isRunning = true;
    await act().finally(() => {
      isRunning = false;
    });
  };
}

function healthServer(of: { readonly isReady: () => boolean; readonly metrics: () => string }): Server {
  return createServer((request, response) => {
    if (request.url === "/metrics") response.end(of.metrics());
    else if (request.url === "/ready") response.writeHead(of.isReady() ? 200 : 503).end();
    else response.writeHead(404).end();
  });
}

function listen(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(
        new EnvironmentError("port-in-use", `cannot listen on ${host}:${port}: ${errorText(cause)}`, {
          hint: "Stop what listens there, or choose another port.",
          cause,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
}
