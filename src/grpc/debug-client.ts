import { type ChannelOptions, type ChannelCredentials, Client, credentials, Metadata, status } from "@grpc/grpc-js";
import { ClusterError } from "../base/errors.ts";
import { decodeMessage, encodeMessage, type Messages } from "../wire/codec.ts";

/** Where a control plane is asked over xDS, and how one shows who asks. */
export interface DebugConnection {
  /** `host:port` */
  readonly address: string;
  /** Undefined: without TLS. */
  readonly tls:
    | {
        /** The DNS name that must be in the server's certificate. */
        readonly serverName: string;
        /** PEM of the roots that may have signed it; undefined: it is not looked at. */
        readonly roots: string | undefined;
        /** PEM of our own certificate. */
        readonly client?: { readonly chain: string; readonly key: string };
      }
    | undefined;
  /** Bearer token; never sent without TLS. */
  readonly token: string | undefined;
  /** The cluster whose token it is, where one control plane serves several; absent: its own. */
  readonly clusterId?: string;
  /** Milliseconds. */
  readonly timeout: number;
}

/** What a control plane answered, and which. */
export interface DebugAnswer {
  /** As of HTTP. */
  readonly status: number;
  readonly body: string;
  /** Which of its pods answered, and of which version, as it says itself; empty when it does not. */
  readonly instance: string;
  readonly version: string;
}

const METHOD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
const DEBUG_TYPE = "istio.io/debug";

type Request = Messages["envoy.service.discovery.v3.DiscoveryRequest"];
type Response = Messages["envoy.service.discovery.v3.DiscoveryResponse"];

/** Asks one question of /debug, `syncz` or `config_dump?proxyID=web.shop`. Throws ClusterError `xds`. */
export async function askDebug(connection: DebugConnection, question: string): Promise<DebugAnswer> {
  const { address, tls, token, clusterId, timeout } = connection;
  const options: ChannelOptions = {
    "grpc.enable_retries": 0,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_receive_message_length": -1,
    ...(tls === undefined
      ? {}
      : { "grpc.ssl_target_name_override": tls.serverName, "grpc.default_authority": tls.serverName }),
  };
  const client = new Client(address, credentialsOf(tls), options);
  const metadata = new Metadata();
  if (token !== undefined && tls !== undefined) metadata.set("authorization", `Bearer ${token}`);
  if (clusterId !== undefined) metadata.set("clusterid", clusterId);
  try {
    return read(await firstResponse({ client, metadata, timeout, address }, question), address);
  } finally {
    client.close();
  }
}

function credentialsOf(tls: DebugConnection["tls"]): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  const { roots, client } = tls;
  const bytes = (pem: string | undefined): Buffer | null => (pem === undefined ? null : Buffer.from(pem));
  const anybody = { rejectUnauthorized: false, checkServerIdentity: () => undefined };
  const verify = roots === undefined ? anybody : {};
  return credentials.createSsl(bytes(roots), bytes(client?.key), bytes(client?.chain), verify);
}

interface Asking {
  readonly client: Client;
  readonly metadata: Metadata;
  readonly timeout: number;
  readonly address: string;
}

function firstResponse({ client, metadata, timeout, address }: Asking, question: string): Promise<Response> {
  const call = client.makeBidiStreamRequest(
    METHOD,
    (value: Request) => Buffer.from(encodeMessage("envoy.service.discovery.v3.DiscoveryRequest", value)),
    (bytes: Buffer) => decodeMessage("envoy.service.discovery.v3.DiscoveryResponse", bytes),
    metadata,
    { deadline: Date.now() + timeout },
  );
  const id = "debug~0.0.0.0~meshctl~cluster.local";
  call.write({ node: { id }, type_url: DEBUG_TYPE, resource_names: [question] });
  return new Promise((resolve, reject) => {
    call.on("data", (response: Response) => {
      resolve(response);
      call.cancel();
    });
    call.on("error", (error: Error & { readonly code?: number; readonly details?: string }) =>
      reject(explain(error, address)),
    );
    call.on("end", () => reject(explain({ details: "it ended the stream without an answer" }, address)));
  });
}

function explain(error: { readonly code?: number; readonly details?: string }, address: string): ClusterError {
  const isRefused = error.code === status.UNAUTHENTICATED || error.code === status.PERMISSION_DENIED;
  return new ClusterError("xds", `${address} does not answer over xDS: ${error.details ?? "no reason given"}`, {
    hint: isRefused
      ? "A token of a service account of its own namespace may ask it everything; one of another namespace only about proxies there."
      : "Name the port where proxies connect (15012) with --xds-address, and the name in its certificate with --authority.",
  });
}

/** Istio's way to tell another status than 200: it stands before the words. */
function read({ resources: [first] = [], control_plane }: Response, address: string): DebugAnswer {
  const bytes = (first as { readonly "@bytes"?: Uint8Array } | undefined)?.["@bytes"];
  if (bytes === undefined) throw explain({ details: "its answer is empty" }, address);
  const text = Buffer.from(bytes).toString("utf8");
  const told = /^\{"statusCode":"(\d+)"\}/.exec(text);
  return {
    status: Number(told?.[1] ?? "200"),
    body: text.slice(told?.[0].length ?? 0),
    ...sayerIn(control_plane?.identifier ?? ""),
  };
}

function sayerIn(identifier: string): Pick<DebugAnswer, "instance" | "version"> {
  const words = (value: unknown): string => (typeof value === "string" ? value : "");
  try {
    const { ID, Info } = JSON.parse(identifier) as { readonly ID?: unknown; readonly Info?: { version?: unknown } };
    return { instance: words(ID), version: words(Info?.version) };
  } catch {
    return { instance: "", version: "" };
  }
}
