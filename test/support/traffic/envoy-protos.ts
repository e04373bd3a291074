import { join } from "node:path";
import { Root } from "protobufjs";

const PROTOS = join(import.meta.dirname, "../../../node_modules/@grpc/grpc-js-xds/deps");

/** Imports that only declare options. */
const OPTIONS_ONLY = /^(google\/protobuf\/descriptor|validate|udpa\/annotations|xds\/annotations|envoy\/annotations)/;

const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  "envoy-api": ["envoy/"],
  xds: ["udpa/", "xds/"],
  googleapis: ["google/rpc", "google/api"],
};

/** A file of Envoy's protos with all that it imports, for servers of tests that Envoy calls. */
export async function envoyProtos(file: string): Promise<Root> {
  const root = new Root();
  root.resolvePath = (_, target) => {
    if (OPTIONS_ONLY.test(target)) return null;
    const folder = Object.keys(FOLDERS).find((name) => FOLDERS[name]?.some((start) => target.startsWith(start)));
    return folder === undefined ? target : join(PROTOS, folder, target);
  };
  return root.load(file);
}
