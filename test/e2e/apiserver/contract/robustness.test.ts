import { randomBytes } from "node:crypto";
import { connect, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createRunningPod, type FakePods, startFakePods } from "../../../support/kube/fake-pods.ts";
import type { RestClient } from "../../../support/kube/rest-client.ts";
import { waitFor } from "../../../support/wait.ts";
import { type Backend, startBackend } from "./backends.ts";

// A client may send anything: it gets a Status or a closed connection, and the endpoint answers the next one.
let backend: Backend;
let rest: RestClient;
let pods: FakePods;
const maps = "/api/v1/namespaces/shop/configmaps";
beforeAll(async () => {
  backend = await startBackend("embedded");
  rest = backend.rest;
  pods = await startFakePods();
  backend.api?.setPodBackend(pods.backend);
  if (backend.api !== undefined) await createRunningPod(backend.api);
});
afterAll(async () => {
  await backend.stop();
  await pods.close();
});
afterEach(async () => {
  expect((await rest.get("/readyz")).body).toBe("ok");
});

async function socket(): Promise<TLSSocket> {
  const { ca, cert, key, url } = rest.target;
  const { hostname, port } = new URL(url);
  const made = connect({ host: hostname, port: Number(port), ca, cert: cert ?? "", key: key ?? "" });
  await new Promise<void>((resolve, reject) => made.once("secureConnect", resolve).once("error", reject));
  return made;
}

async function ended(stream: TLSSocket): Promise<void> {
  stream.on("error", () => {});
  stream.resume();
  await waitFor(() => stream.closed, { what: "the connection ends" });
}

test.each([
  ["text that is no JSON", "{not json"],
  ["an empty body", ""],
  ["an array", "[]"],
  ["a number", "7"],
  ["metadata that is no object", '{"metadata": 7}'],
  ["a name that is no string", '{"metadata": {"name": 7}}'],
])("%s is 400", async (_what, body) => {
  const answer = await rest.post(maps, body === "" ? undefined : body);
  expect(answer.body).toMatchObject({ kind: "Status", code: 400 });
});

test("a body that is too large is 413, one of unknown type 415, bad YAML and bad protobuf 400", async () => {
  const large = await rest
    .post(maps, `{"metadata":{"name":"x"},"data":{"a":"${"x".repeat(4 << 20)}"}}`)
    .catch((error: unknown) => error);
  expect(large instanceof Error ? 413 : (large as { status: number }).status).toBe(413);
  expect((await rest.post(maps, "a", { type: "application/cbor" })).status).toBe(415);
  expect((await rest.post(maps, "a: [", { type: "application/yaml" })).status).toBe(400);
  expect((await rest.post(maps, "k8s\u0000\u000a\u00ff", { type: "application/vnd.kubernetes.protobuf" })).status).toBe(
    400,
  );
  expect((await rest.post(maps, "x", { headers: { "content-encoding": "gzip" } })).status).toBe(400);
});

test.each([
  "/api/v1/namespaces/%zz/pods",
  "/api/v1//pods/../..",
  "/apis/%00/v1/x",
  "/api/v1/namespaces/shop/configmaps/a%2fb",
  "/nothing/here",
])("the path %s is answered", async (path) => {
  expect((await rest.get(path)).status).toBeGreaterThanOrEqual(200);
});

test("names of object members are data", async () => {
  const made = await rest.post(maps, '{"metadata":{"name":"proto"},"data":{"__proto__":"x","constructor":"y"}}');
  expect(made.status).toBe(201);
  await rest.patch(`${maps}/proto`, "merge", '{"data":{"constructor":{"prototype":1}}}');
  await rest.patch(`${maps}/proto`, "json", [{ op: "add", path: "/__proto__/polluted", value: 1 }]);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test("noise instead of HTTP, and a connection that goes in the middle of a body", async () => {
  const noise = await socket();
  noise.write(randomBytes(500));
  await ended(noise);
  const half = await socket();
  half.write(`POST ${maps} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"a":`);
  half.destroy();
});

test("a watcher that leaves, and one that never reads", async () => {
  const leaving = await rest.watch(`${maps}?watch=true`);
  leaving.stop();
  const stuck = await socket();
  stuck.pause();
  stuck.write(`GET ${maps}?watch=true HTTP/1.1\r\nhost: x\r\n\r\n`);
  for (let round = 0; round < 50; round++)
    await rest.post(maps, { metadata: { name: `big${round}` }, data: { a: "x".repeat(200_000) } });
  stuck.destroy();
});

test("upgrades that make no sense are refused, and broken streams end", async () => {
  const path = "/api/v1/namespaces/shop/pods/web/portforward";
  const upgrade = async (headers: string): Promise<TLSSocket> => {
    const made = await socket();
    made.write(`GET ${path}?ports=7 HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\n${headers}\r\n\r\n`);
    return made;
  };
  const answer = async (stream: TLSSocket): Promise<string> =>
    new Promise((resolve) => stream.once("data", (chunk: Buffer) => resolve(chunk.toString("latin1"))));
  expect(await answer(await upgrade("upgrade: h2c"))).toContain("400");
  const webSocket = "upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==";
  expect(await answer(await upgrade(`${webSocket}\r\nsec-websocket-protocol: other`))).toContain("400");
  const channels = await upgrade(`${webSocket}\r\nsec-websocket-protocol: v4.channel.k8s.io`);
  expect(await answer(channels)).toContain("101");
  channels.write(randomBytes(200));
  await ended(channels);
  const spdy = await upgrade("upgrade: SPDY/3.1\r\nx-stream-protocol-version: portforward.k8s.io");
  expect(await answer(spdy)).toContain("101");
  // A SYN_STREAM whose header block is no zlib data.
  spdy.write(Buffer.concat([Buffer.from([0x80, 3, 0, 1, 0, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]), randomBytes(4)]));
  await ended(spdy);
});
