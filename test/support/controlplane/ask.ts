import { Client, credentials, Metadata, type StatusObject } from "@grpc/grpc-js";
import { encodeMessage } from "../../../src/wire/codec.ts";
import { TYPE_URLS } from "../../../src/xds/types.ts";

/** Who asks, and who it says it is. */
export interface Asking {
  readonly port: number;
  readonly roots: string;
  readonly token: string | undefined;
  readonly node: { readonly id: string; readonly metadata: Readonly<Record<string, string>> };
}

/** Opens an xDS stream and asks for clusters; resolves with the status it ends with (1, cancelled by us, when it was answered). */
export function askForClusters({ port, roots, token, node }: Asking): Promise<StatusObject> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createSsl(Buffer.from(roots)), {
    "grpc.ssl_target_name_override": "istiod.istio-system.svc",
  });
  const metadata = new Metadata();
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
  const same = (bytes: Buffer): Buffer => bytes;
  const path = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
  const call = client.makeBidiStreamRequest(path, same, same, metadata);
  return new Promise((resolve) => {
    call.on("error", () => {});
    call.on("data", () => {
      call.cancel();
    });
    call.on("status", (ended: StatusObject) => {
      client.close();
      resolve(ended);
    });
    const request = { node, type_url: TYPE_URLS.cluster };
    call.write(Buffer.from(encodeMessage("envoy.service.discovery.v3.DeltaDiscoveryRequest", request)));
  });
}
