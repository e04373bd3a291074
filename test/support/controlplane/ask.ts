import { Client, credentials, Metadata, type StatusObject } from "@grpc/grpc-js";
import { decodeMessage, encodeMessage, type Json } from "../../../src/wire/codec.ts";
import { TYPE_URLS } from "../../../src/xds/types.ts";

/** Who asks, and who it says it is. */
export interface Asking {
  readonly port: number;
  readonly roots: string;
  readonly token: string | undefined;
  /** A client certificate and its key, PEM. */
  readonly pair?: { readonly certificate: string; readonly key: string };
  readonly node: { readonly id: string; readonly metadata: Readonly<Record<string, Json>> };
}

/** Opens an xDS stream and asks for clusters; resolves with the status it ends with (1, cancelled by us, when it was answered). */
export async function askForClusters(asking: Asking): Promise<StatusObject> {
  return (await ask(asking)).status;
}

/** Names of the clusters that the first answer holds. Throws when there is none. */
export async function clusterNames(asking: Asking): Promise<readonly string[]> {
  const { status, names } = await ask(asking);
  if (names === undefined) throw new Error(`no answer: ${status.code} ${status.details}`);
  return names;
}

function ask({ port, roots, token, pair, node }: Asking): Promise<{
  readonly status: StatusObject;
  readonly names: readonly string[] | undefined;
}> {
  const own = pair === undefined ? [] : ([Buffer.from(pair.key), Buffer.from(pair.certificate)] as const);
  const client = new Client(`127.0.0.1:${port}`, credentials.createSsl(Buffer.from(roots), ...own), {
    "grpc.ssl_target_name_override": "istiod.istio-system.svc",
    "grpc.use_local_subchannel_pool": 1,
  });
  const metadata = new Metadata();
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
  const same = (bytes: Buffer): Buffer => bytes;
  const path = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
  const call = client.makeBidiStreamRequest(path, same, same, metadata);
  return new Promise((resolve) => {
    let names: readonly string[] | undefined;
    call.on("error", () => {});
    call.on("data", (bytes: Buffer) => {
      const { resources = [] } = decodeMessage("envoy.service.discovery.v3.DeltaDiscoveryResponse", bytes);
      names ??= resources.map(({ name = "" }) => name);
      call.cancel();
    });
    call.on("status", (status: StatusObject) => {
      client.close();
      resolve({ status, names });
    });
    const request = { node, type_url: TYPE_URLS.cluster };
    call.write(Buffer.from(encodeMessage("envoy.service.discovery.v3.DeltaDiscoveryRequest", request)));
  });
}
