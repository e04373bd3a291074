import { readFile } from "node:fs/promises";
import { PassThrough } from "node:stream";
import { KubeConfig, Log, PortForward } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRunningPod, type FakePods, startFakePods } from "../../../support/kube/fake-pods.ts";
import type { RestClient } from "../../../support/kube/rest-client.ts";
import { waitFor } from "../../../support/wait.ts";
import { type Backend, startBackend } from "./backends.ts";

// Logs and port-forward need a node: here the embedded endpoint against a fake of its PodBackend; the node tier has a real one.
let backend: Backend;
let rest: RestClient;
let pods: FakePods;
let config: KubeConfig;
const log = "/api/v1/namespaces/shop/pods/web/log";

beforeAll(async () => {
  backend = await startBackend("embedded");
  rest = backend.rest;
  pods = await startFakePods();
  backend.api?.setPodBackend(pods.backend);
  if (backend.api !== undefined) await createRunningPod(backend.api);
  config = new KubeConfig();
  config.loadFromString(await readFile(backend.kubeconfig, "utf8"));
});
afterAll(async () => {
  await backend.stop();
  await pods.close();
});

function collector(): { stream: PassThrough; text: () => string } {
  const stream = new PassThrough();
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
  });
  return { stream, text: () => text };
}

test("a whole log, and its tail, as text", async () => {
  const whole = await rest.get(log);
  expect([whole.status, whole.headers["content-type"], whole.body]).toEqual([200, "text/plain", "one\ntwo\nthree\n"]);
  expect((await rest.get(`${log}?tailLines=1&container=app&timestamps=true`)).body).toBe("three\n");
  expect(pods.asked.at(-1)).toEqual({
    namespace: "shop",
    pod: "web",
    container: "app",
    follow: false,
    tailLines: 1,
    previous: false,
    timestamps: true,
    since: undefined,
  });
  await rest.get(`${log}?sinceTime=2026-11-21T20:00:00Z`);
  expect(pods.asked.at(-1)?.since).toBe(Date.UTC(2026, 10, 21, 20));
  const before = Date.now();
  await rest.get(`${log}?sinceSeconds=5`);
  expect(pods.asked.at(-1)?.since).toBeGreaterThanOrEqual(before - 5000);
  expect((await rest.get(`${log}?limitBytes=5`)).body).toBe("one\nt");
});

test("logs that cannot be given are refused with the reason", async () => {
  expect((await rest.get(`${log}?container=none`)).body).toMatchObject({
    code: 400,
    message: "container none is not valid for pod web",
  });
  expect((await rest.get(`${log}?previous=true`)).body).toMatchObject({
    code: 400,
    message: 'previous terminated container "app" in pod "web" not found',
  });
  expect((await rest.get("/api/v1/namespaces/shop/pods/none/log")).status).toBe(404);
  expect((await rest.get(`${log}?sinceSeconds=0`)).body).toMatchObject({
    code: 422,
    message: 'PodLogOptions "" is invalid: sinceSeconds: Invalid value: 0: must be greater than 0',
  });
  expect((await rest.get(`${log}?sinceSeconds=5&sinceTime=2026-11-21T20:00:00Z`)).body).toMatchObject({ code: 422 });
  expect((await rest.get(`${log}?sinceSeconds=soon`)).body).toMatchObject({ code: 400 });
  expect((await rest.get(`${log}?stream=Stdout`)).body).toMatchObject({ code: 501, reason: "NotImplemented" });
  await rest.post("/api/v1/namespaces/shop/pods", {
    metadata: { name: "new" },
    spec: { containers: [{ name: "a", image: "i" }] },
  });
  expect((await rest.get("/api/v1/namespaces/shop/pods/new/log")).body).toMatchObject({
    code: 400,
    message: 'container "a" in pod "new" is waiting to start: ContainerCreating',
  });
});

test("client-node follows a log and ends it", async () => {
  const out = collector();
  const abort = await new Log(config).log("shop", "web", "app", out.stream, { follow: true, tailLines: 1 });
  await waitFor(() => out.text() === "three\n", { what: "the tail" });
  pods.write("four");
  await waitFor(() => out.text() === "three\nfour\n", { what: "the line written later" });
  abort.abort();
});

test("client-node forwards a port both ways", async () => {
  const out = collector();
  const errors = collector();
  const input = new PassThrough();
  const socket = await new PortForward(config).portForward("shop", "web", [7], out.stream, errors.stream, input);
  input.write("hello");
  await waitFor(() => out.text() === "hello", { what: "the echo" });
  const large = "x".repeat(1 << 20);
  input.write(large);
  await waitFor(() => out.text().length === 5 + large.length, { what: "a megabyte back" });
  expect(out.text()).toBe(`hello${large}`);
  expect(errors.text()).toBe("");
  (socket as { close(): void }).close();
});

test("a port nobody listens on is told on the error channel", async () => {
  const out = collector();
  const errors = collector();
  await new PortForward(config).portForward("shop", "web", [81], out.stream, errors.stream, new PassThrough());
  await waitFor(() => errors.text() !== "", { what: "the error" });
  expect(errors.text()).toContain("error forwarding port 81");
});

test("a connection the pod closes is closed", async () => {
  const out = collector();
  const socket = (await new PortForward(config).portForward(
    "shop",
    "web",
    [9],
    out.stream,
    null,
    new PassThrough(),
  )) as unknown as WebSocket;
  await waitFor(() => out.text() === "port 9", { what: "what the pod said" });
  await waitFor(() => socket.readyState === socket.CLOSED, { what: "the end" });
});

test("a pod that is not there refuses the upgrade", async () => {
  await expect(
    new PortForward(config).portForward("shop", "none", [7], new PassThrough(), null, new PassThrough()),
  ).rejects.toBeDefined();
});
