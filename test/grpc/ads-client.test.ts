import { afterEach, expect, test } from "vitest";
import { type DeltaStreamEvents, openDeltaStream } from "../../src/grpc/ads-client.ts";
import { adsService, type DeltaRequest, type XdsConnection } from "../../src/grpc/ads-server.ts";
import { startGrpcServer } from "../../src/grpc/server.ts";
import { createRoot, issueServing } from "../../src/pki/ca.ts";
import { encodeMessage, type TypedAny } from "../../src/wire/codec.ts";
import { waitFor } from "../support/wait.ts";

const TYPE = "type.googleapis.com/istio.networking.nds.v1.NameTable";
const SERVER = "istiod.istio-system.svc";
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** A server whose only stream the test answers by hand. */
async function startServer() {
  const now = Date.now();
  const validity = { notBefore: new Date(now - 60_000), notAfter: new Date(now + 3_600_000) };
  const root = await createRoot("cluster.local", validity);
  const serving = await issueServing(root, { dns: [SERVER] }, validity);
  const requests: DeltaRequest[] = [];
  const connections: XdsConnection[] = [];
  const delta = (connection: XdsConnection) => {
    connections.push(connection);
    return {
      request: (request: DeltaRequest) => void requests.push(request),
      drained: () => undefined,
      closed: () => undefined,
    };
  };
  const sotw = (): never => {
    throw new Error("the client speaks delta");
  };
  const server = await startGrpcServer(
    { host: "127.0.0.1", port: 0 },
    { certificate: serving.certificate, key: serving.key, clientRoots: root.certificate },
    [adsService({ delta, sotw }, () => undefined)],
  );
  closers.push(() => server.close(0));
  return { port: server.port, roots: root.certificate, requests, connections };
}

type Server = Awaited<ReturnType<typeof startServer>>;

function open({ port, roots }: Server, events: Partial<DeltaStreamEvents>): void {
  const close = openDeltaStream(
    {
      address: { host: "127.0.0.1", port },
      serverName: SERVER,
      roots,
      credential: { kind: "token", token: "a.b.c" },
      clusterId: "Kubernetes",
      node: { id: "sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local" },
      typeUrl: TYPE,
      held: { nametable: "v0" },
    },
    {
      onResource: () => undefined,
      onRemoved: () => undefined,
      onSettled: () => undefined,
      onEnd: () => undefined,
      ...events,
    },
  );
  closers.push(close);
}

function send(
  { connections }: Server,
  nonce: string,
  resources: readonly TypedAny[],
  removed: readonly string[] = [],
): void {
  connections[0]?.send(
    encodeMessage("envoy.service.discovery.v3.DeltaDiscoveryResponse", {
      type_url: TYPE,
      nonce,
      resources: resources.map((resource) => ({ name: "nametable", version: "v1", resource })),
      removed_resources: removed,
    }),
  );
}

const asked = (server: Server, count: number): Promise<boolean> =>
  waitFor(() => server.requests.length === count, { what: `request ${count}` });

test("asks for everything with what it holds, confirms what it took, refuses what it could not take", async () => {
  const server = await startServer();
  const seen: unknown[] = [];
  open(server, {
    onResource: (name, version, resource) => {
      if (seen.length > 0) throw new Error("a table without sense");
      seen.push([name, version, resource]);
    },
    onRemoved: (name) => void seen.push(["removed", name]),
  });
  await asked(server, 1);
  expect(server.requests[0]).toMatchObject({
    type_url: TYPE,
    node: { id: "sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local" },
    initial_resource_versions: { nametable: "v0" },
  });
  expect(server.requests[0]?.resource_names_subscribe ?? []).toEqual([]);
  const table: TypedAny = { "@type": TYPE, table: { "web.shop": { ips: ["10.0.0.1"] } } };
  send(server, "1", [table]);
  await asked(server, 2);
  expect(seen).toEqual([["nametable", "v1", table]]);
  expect(server.requests[1]).toEqual({ type_url: TYPE, response_nonce: "1" });
  send(server, "2", [table]);
  await asked(server, 3);
  expect(server.requests[2]).toMatchObject({
    response_nonce: "2",
    error_detail: { message: "Error: a table without sense" },
  });
  send(server, "3", [], ["nametable"]);
  await asked(server, 4);
  expect(seen.at(-1)).toEqual(["removed", "nametable"]);
});

test.each([
  [undefined, { error: undefined, refused: false }],
  [
    { status: "UNAUTHENTICATED", details: "who?" } as const,
    { error: expect.stringContaining("who?") as string, refused: true },
  ],
  [
    { status: "UNAVAILABLE", details: "later" } as const,
    { error: expect.stringContaining("later") as string, refused: false },
  ],
])("the server ends the stream: %j", async (refusal, expected) => {
  const server = await startServer();
  const ends: unknown[] = [];
  open(server, { onEnd: (end) => void ends.push(end) });
  await asked(server, 1);
  server.connections[0]?.end(refusal);
  await waitFor(() => ends.length > 0, { what: "the end" });
  expect(ends).toEqual([expected]);
});

test("a server that is not there, or not the one expected, is an error and not a refusal", async () => {
  const server = await startServer();
  const other = await startServer();
  const ends: { readonly refused: boolean }[] = [];
  open({ ...server, roots: other.roots }, { onEnd: (end) => void ends.push(end) });
  open({ ...server, port: 1 }, { onEnd: (end) => void ends.push(end) });
  await waitFor(() => ends.length === 2, { what: "both ends" });
  expect(ends.map(({ refused }) => refused)).toEqual([false, false]);
  expect(server.requests).toEqual([]);
});
