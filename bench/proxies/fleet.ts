// The proxies' half of proxies.bench.ts: many delta xDS streams, each over a TLS connection of its own, that ask for what Envoy
// asks for and confirm all. Responses are read as far as names and versions go.
import { Client, type ClientDuplexStream, credentials, Metadata, type StatusObject } from "@grpc/grpc-js";
import protobuf from "protobufjs/minimal.js";
import { encodeMessage, type Messages } from "../../src/wire/codec.ts";
import { namespaceOf } from "../large-mesh.ts";

export interface Fleet {
  connect(): void;
  /** Ends all streams and opens them anew, naming what is held. */
  reconnect(): void;
  /** Resolves with the time when every proxy had its routes and nothing had come for a moment. */
  settled(): Promise<number>;
  /** Resolves with the time when so many proxies more have got something, and nothing had come for a moment. */
  pushed(count: number): Promise<number>;
  /** Of all responses until now. */
  bytes(): number;
  close(): void;
}

/** Where the control plane is, and who the proxies are. */
export interface FleetOptions {
  readonly port: number;
  readonly roots: string;
  readonly count: number;
  /** Addresses of the control plane, one proxy after the other; default: this machine's own. */
  readonly hosts?: readonly string[];
  /** Name in the certificate of the control plane; default: the host's. */
  readonly serverName?: string;
  /** Told why a stream ended that nobody closed here. */
  readonly onLost?: (why: string) => void;
  /** So many connect at a time: this one process has the handshakes of all; default: all at once. */
  readonly together?: number;
  /** Token of a namespace; default: its name, which the benchmark's server takes for one. */
  readonly tokenOf?: (namespace: string) => string;
}

type Request = Messages["envoy.service.discovery.v3.DeltaDiscoveryRequest"];

interface Response {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly names: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
}

const METHOD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
const TYPE = "type.googleapis.com/envoy.config.";
const CLUSTER = `${TYPE}cluster.v3.Cluster`;
const ENDPOINT = `${TYPE}endpoint.v3.ClusterLoadAssignment`;
const LISTENER = `${TYPE}listener.v3.Listener`;
const ROUTE = `${TYPE}route.v3.RouteConfiguration`;
/** Route tables of the benchmark's HTTP ports. */
const TABLES = ["8001", "8002", "8003", "8004"];
const QUIET_MS = 400;
/** Envoy's pauses between its tries. */
const AGAIN_MS = 500;
const LONGEST_MS = 30_000;

/** So many proxies, not connected yet. */
export function createFleet(at: FleetOptions): Fleet {
  let bytes = 0;
  let last = 0;
  const touched = new Set<number>();
  const routed = new Set<number>();
  let waiting: ReturnType<typeof createProxy>[] = [];
  const proxies = Array.from({ length: at.count }, (_, index) =>
    createProxy({ ...at, index }, (size, response) => {
      bytes += size;
      last = performance.now();
      touched.add(index);
      if (response.typeUrl !== ROUTE || routed.has(index)) return;
      routed.add(index);
      waiting.shift()?.open();
    }),
  );
  const quiet = async (isDone: () => boolean): Promise<number> => {
    while (!isDone() || performance.now() - last < QUIET_MS) await new Promise((resolve) => setTimeout(resolve, 5));
    touched.clear();
    return last;
  };
  const begin = (): void => {
    routed.clear();
    const { together = at.count } = at;
    waiting = proxies.slice(together);
    for (const proxy of proxies.slice(0, together)) proxy.open();
  };
  return {
    connect: begin,
    reconnect() {
      for (const proxy of proxies) proxy.close();
      begin();
    },
    settled: () => quiet(() => routed.size === at.count),
    pushed: (count) => quiet(() => touched.size >= count),
    bytes: () => bytes,
    close: () => proxies.forEach((proxy) => proxy.close()),
  };
}

function createProxy(
  at: FleetOptions & { readonly index: number },
  onResponse: (size: number, response: Response) => void,
): { readonly open: () => void; readonly close: () => void } {
  const namespace = namespaceOf(at.index);
  const address = `10.200.${at.index >> 8}.${at.index & 255}`;
  const node = { id: `sidecar~${address}~web-${at.index}.${namespace}~${namespace}.svc.cluster.local` };
  const held = new Map<string, Map<string, string>>(
    [CLUSTER, ENDPOINT, LISTENER, ROUTE].map((type) => [type, new Map()]),
  );
  let client: Client | undefined;
  let pause = AGAIN_MS;
  const open = (): void => {
    client = clientOf(at);
    const call = callOf(client, at.tokenOf?.(namespace) ?? namespace);
    const subscribed = new Set<string>();
    const subscribe = (type_url: string, names: readonly string[]): void => {
      const isFirst = !subscribed.has(type_url);
      subscribed.add(type_url);
      const versions = Object.fromEntries(held.get(type_url) ?? []);
      call.write({
        type_url,
        resource_names_subscribe: [...names],
        ...(isFirst ? { node, initial_resource_versions: versions } : {}),
      });
    };
    // As Envoy does: after a while it tries again, and says what it has.
    const own = client;
    call.on("error", () => undefined);
    call.on("status", ({ code, details }: StatusObject) => {
      own.close();
      if (client !== own) return;
      at.onLost?.(`${code} ${details}`);
      setTimeout(() => client === own && open(), pause * Math.random());
      pause = Math.min(pause * 2, LONGEST_MS);
    });
    call.on("data", (raw: Buffer) => {
      const response = readResponse(raw);
      pause = AGAIN_MS;
      const known = held.get(response.typeUrl);
      for (const [name, version] of response.names) known?.set(name, version);
      for (const name of response.removed) known?.delete(name);
      call.write({ type_url: response.typeUrl, response_nonce: response.nonce });
      onResponse(raw.length, response);
      if (response.typeUrl === CLUSTER && !subscribed.has(ENDPOINT))
        subscribe(
          ENDPOINT,
          [...(held.get(CLUSTER)?.keys() ?? [])].filter((name) => name.startsWith("outbound|")),
        );
      if (response.typeUrl === LISTENER && !subscribed.has(ROUTE)) subscribe(ROUTE, TABLES);
    });
    subscribe(CLUSTER, []);
    subscribe(LISTENER, []);
  };
  const close = (): void => {
    client?.close();
    client = undefined;
  };
  return { open, close };
}

function clientOf({
  hosts = ["localhost"],
  port,
  roots,
  serverName,
  index,
}: FleetOptions & { readonly index: number }): Client {
  const host = hosts[index % hosts.length] ?? "";
  return new Client(`${host}:${port}`, credentials.createSsl(Buffer.from(roots)), {
    ...(serverName === undefined ? {} : { "grpc.ssl_target_name_override": serverName }),
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_receive_message_length": -1,
    // as Envoy has it, which would else be faster than these
    "grpc-node.flow_control_window": 16 * 1024 * 1024,
  });
}

function callOf(client: Client, token: string): ClientDuplexStream<Request, Buffer> {
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  return client.makeBidiStreamRequest(
    METHOD,
    (value: Request) => Buffer.from(encodeMessage("envoy.service.discovery.v3.DeltaDiscoveryRequest", value)),
    (raw: Buffer) => raw,
    metadata,
  );
}

/** DeltaDiscoveryResponse as far as it is needed; bodies are passed over. */
function readResponse(raw: Buffer): Response {
  const reader = protobuf.Reader.create(raw);
  const names = new Map<string, string>();
  const removed: string[] = [];
  let typeUrl = "";
  let nonce = "";
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 2) readResource(reader, names);
    else if (tag >>> 3 === 4) typeUrl = reader.string();
    else if (tag >>> 3 === 5) nonce = reader.string();
    else if (tag >>> 3 === 6) removed.push(reader.string());
    else reader.skipType(tag & 7);
  }
  return { typeUrl, nonce, names, removed };
}

function readResource(reader: protobuf.Reader, names: Map<string, string>): void {
  const end = reader.uint32() + reader.pos;
  let name = "";
  let version = "";
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 3) name = reader.string();
    else if (tag >>> 3 === 1) version = reader.string();
    else reader.skipType(tag & 7);
  }
  names.set(name, version);
}
