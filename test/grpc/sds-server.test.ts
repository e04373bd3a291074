import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import type { Logger } from "../../src/base/logger.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { createSdsServer, type SdsServer } from "../../src/grpc/sds-server.ts";
import { decodeMessage, encodeMessage, type MessageName } from "../../src/wire/codec.ts";
import { waitFor } from "../support/wait.ts";

/** Bytes as JSON has them. */
const base64 = (text: string): string => Buffer.from(text).toString("base64");

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of open.splice(0).reverse()) await item.close();
});

const DISCOVERY = "envoy.service.discovery.v3.";
const certificate = (chain: string) => ({ kind: "certificate", chain, key: { pem: () => `key of ${chain}` } }) as const;
const roots = (pem: string) => ({ kind: "roots", pem }) as const;

async function serve(log: Logger = silentLogger): Promise<{ sds: SdsServer; socket: string }> {
  const directory = mkdtempSync(join(tmpdir(), "sds-"));
  const socket = join(directory, "deep/socket");
  const sds = createSdsServer(socket, log);
  await sds.start();
  open.push({ close: () => rmSync(directory, { recursive: true }) }, sds);
  return { sds, socket };
}

interface Answer {
  readonly version_info?: string;
  readonly nonce?: string;
  readonly resources?: readonly Readonly<Record<string, unknown>>[];
}

/** A stream as Envoy opens it: what was received so far, and requests. */
function stream(socket: string, kind: "Stream" | "Delta") {
  const client = new Client(`unix:${socket}`, credentials.createInsecure());
  const infix = kind === "Delta" ? "Delta" : "";
  const request = `${DISCOVERY}${infix}DiscoveryRequest` as MessageName;
  const response = `${DISCOVERY}${infix}DiscoveryResponse` as MessageName;
  const call: ClientDuplexStream<object, object> = client.makeBidiStreamRequest(
    `/envoy.service.secret.v3.SecretDiscoveryService/${kind}Secrets`,
    (message: object) => Buffer.from(encodeMessage(request, message as never)),
    (bytes: Buffer) => decodeMessage(response, bytes) as object,
  );
  const received: Answer[] = [];
  call.on("data", (message: Answer) => received.push(message));
  call.on("error", () => undefined);
  open.push({
    close: () => {
      call.cancel();
      client.close();
    },
  });
  return { received, send: (message: object) => call.write(message), last: () => received.at(-1)?.resources?.[0] };
}

test("a name asked for before it exists is answered when it does, and again at each change", async () => {
  const { sds, socket } = await serve();
  const { received, send } = stream(socket, "Stream");
  send({ resource_names: ["default"] });
  sds.publish("ROOTCA", roots("other name"));
  sds.publish("default", certificate("first"));
  await waitFor(() => received.length === 1, { what: "first" });
  expect(received[0]?.resources).toEqual([
    {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
      name: "default",
      tls_certificate: {
        certificate_chain: { inline_bytes: base64("first") },
        private_key: { inline_bytes: base64("key of first") },
      },
    },
  ]);
  send({ resource_names: ["default"], version_info: received[0]?.version_info, response_nonce: received[0]?.nonce });
  sds.publish("default", certificate("first"));
  sds.publish("default", certificate("second"));
  await waitFor(() => received.length === 2, { what: "second" });
  expect(received[1]?.version_info).not.toBe(received[0]?.version_info);
  expect(received[1]?.nonce).not.toBe(received[0]?.nonce);
});

test("a new stream gets what is current at once", async () => {
  const { sds, socket } = await serve();
  sds.publish("ROOTCA", roots("bundle"));
  const { received, send } = stream(socket, "Stream");
  send({ resource_names: ["ROOTCA"] });
  await waitFor(() => received.length === 1, { what: "bundle" });
  expect(received[0]?.resources?.[0]).toMatchObject({
    name: "ROOTCA",
    validation_context: { trusted_ca: { inline_bytes: base64("bundle") } },
  });
});

test("delta: only what the stream lacks, by name and version; unsubscribed names are not pushed", async () => {
  const { sds, socket } = await serve();
  sds.publish("default", certificate("one"));
  sds.publish("ROOTCA", roots("bundle"));
  const first = stream(socket, "Delta");
  first.send({ resource_names_subscribe: ["default", "ROOTCA"] });
  await waitFor(() => first.received.length === 1, { what: "both" });
  expect(first.received[0]?.resources?.map((resource) => resource["name"])).toEqual(["default", "ROOTCA"]);
  const version = first.received[0]?.resources?.[1]?.["version"];
  const again = stream(socket, "Delta");
  again.send({ resource_names_subscribe: ["default", "ROOTCA"], initial_resource_versions: { ROOTCA: version } });
  await waitFor(() => again.received.length === 1, { what: "what is missing" });
  expect(again.received[0]?.resources?.map((resource) => resource["name"])).toEqual(["default"]);
  again.send({ resource_names_unsubscribe: ["default"], response_nonce: "1" });
  first.send({ response_nonce: "1", error_detail: { code: 3, message: "bad key" } });
  await waitFor(
    async () => {
      sds.publish("default", certificate(`two ${first.received.length}`));
      return first.received.length > 1;
    },
    { what: "push to the other stream" },
  );
  expect(again.received.length).toBeLessThanOrEqual(2);
});

test("a refused secret is a warning with Envoy's reason, never the key", async () => {
  const warnings: unknown[] = [];
  const { sds, socket } = await serve({ ...silentLogger, warn: (fields) => warnings.push(fields) });
  sds.publish("default", certificate("one"));
  const { send } = stream(socket, "Stream");
  send({ resource_names: ["default"], error_detail: { code: 3, message: "no such cipher" } });
  await waitFor(() => warnings.length === 1, { what: "warning" });
  expect(warnings).toEqual([{ reason: "no such cipher" }]);
});

test("a path that is too long for a socket, or cannot be written, is an error in words", async () => {
  const sds = createSdsServer(join(tmpdir(), "x".repeat(120), "socket"), silentLogger);
  await expect(sds.start()).rejects.toThrow("cannot listen on");
  const blocked = createSdsServer("package.json/socket", silentLogger);
  await expect(blocked.start()).rejects.toThrow("cannot listen on package.json/socket: EEXIST");
});
