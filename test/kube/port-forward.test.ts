import { mkdtempSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCluster } from "../../src/kube/cluster.ts";
import { createApi } from "../../src/local/api/api.ts";
import type { Api } from "../../src/local/api/types.ts";
import type { Cluster } from "../../src/resources/cluster.ts";

// Our client against the embedded endpoint, over real sockets. The real kubelet's side of it is in the node tier.

let api: Api;
let cluster: Cluster;
let echo: Server;

beforeAll(async () => {
  api = await createApi({ listen: [{ host: "127.0.0.1", port: 0 }], serviceCidr: "10.96.0.0/16", log: () => {} });
  echo = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  const { port } = echo.address() as AddressInfo;
  api.setPodBackend({
    async *logs() {
      yield await Promise.resolve(Buffer.from("one\ntwo\n"));
    },
    dial: (target) =>
      target.port === 80
        ? Promise.resolve(connect(port, "127.0.0.1"))
        : Promise.reject(new Error(`nothing listens on ${target.port}`)),
  });
  const file = join(mkdtempSync(join(tmpdir(), "port-forward-")), "config");
  writeFileSync(file, api.kubeconfig("local"));
  cluster = await openCluster({ kubeconfig: file, env: {} });
  await cluster.create({
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default", namespace: "default" },
  });
  await cluster.create({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "default" },
    spec: { containers: [{ name: "app", image: "example.test/app:1" }] },
  });
  const ref = { apiVersion: "v1", kind: "Pod", namespace: "default", name: "web" };
  const containerStatuses = [{ name: "app", ready: true, state: { running: { startedAt: "2026-11-21T00:00:00Z" } } }];
  await cluster.mergePatch(ref, { status: { phase: "Running", containerStatuses } }, { subresource: "status" });
});

afterAll(async () => {
  echo?.close();
  await api?.close();
});

function forward(port: number, pod = "web"): Promise<Duplex> {
  return cluster.portForward({ namespace: "default", pod, port });
}

test("bytes go both ways, more of them than any buffer holds", async () => {
  const stream = await forward(80);
  const sent = Buffer.alloc(8 * 1024 * 1024, "0123456789abcdef");
  let received = 0;
  let same = true;
  const done = new Promise<void>((resolve, reject) => {
    stream.on("error", reject);
    stream.on("data", (chunk: Buffer) => {
      same &&= chunk.equals(sent.subarray(received, received + chunk.length));
      received += chunk.length;
      if (received >= sent.length) resolve();
    });
  });
  stream.write(sent);
  await done;
  expect([received, same]).toEqual([sent.length, true]);
  stream.destroy();
});

test("a port where nothing listens and a pod that is not there are errors with words", async () => {
  const ended = async (): Promise<unknown> => {
    const stream = await forward(81);
    return new Promise((resolve) => {
      stream.on("error", resolve);
      stream.resume();
    });
  };
  expect(await ended()).toMatchObject({ code: "port-forward", message: expect.stringContaining("81") as string });
  await expect(forward(80, "nobody")).rejects.toMatchObject({ code: "port-forward" });
});

test("logs are read", async () => {
  expect(await cluster.logs({ namespace: "default", pod: "web" })).toBe("one\ntwo\n");
});
