import { createConnection, createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Api, PodBackend } from "../../../src/local/api/types.ts";

/** A PodBackend whose pods log given lines and listen with an echo server: the contract's node, for tests of the endpoint. */
export interface FakePods {
  readonly backend: PodBackend;
  /** Log requests as the endpoint made them. */
  readonly asked: Parameters<PodBackend["logs"]>[0][];
  /** Writes a line into a followed log. */
  write(line: string): void;
  /** Ends the container: followed logs end. */
  finish(): void;
  close(): Promise<void>;
}

/** Port 7 echoes; port 9 says `port 9` and closes; every other port refuses. */
export async function startFakePods(): Promise<FakePods> {
  const echo = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  const asked: Parameters<PodBackend["logs"]>[0][] = [];
  const lines = ["one", "two", "three"];
  let wake: () => void = () => {};
  let finished = false;

  const backend: PodBackend = {
    async *logs(target, signal) {
      asked.push(target);
      let index = target.tailLines === undefined ? 0 : Math.max(0, lines.length - target.tailLines);
      for (;;) {
        while (index < lines.length) yield Buffer.from(`${lines[index++]}\n`);
        if (!target.follow || finished || signal.aborted) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
      }
    },
    dial: async ({ port }) => dial(echo, port),
  };
  return {
    backend,
    asked,
    write(line) {
      lines.push(line);
      wake();
    },
    finish() {
      finished = true;
      wake();
    },
    close: async () => {
      await new Promise((resolve) => echo.close(resolve));
    },
  };
}

async function dial(echo: Server, port: number): Promise<Duplex> {
  if (port !== 7 && port !== 9) throw new Error(`connect ECONNREFUSED port ${port}`);
  const socket = createConnection((echo.address() as AddressInfo).port, "127.0.0.1");
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  if (port === 9) socket.end("port 9");
  return socket;
}

/** A pod `web` in `shop` whose container `app` runs, as its node would report it. */
export async function createRunningPod(api: Api): Promise<void> {
  const pods = { group: "", version: "v1", resource: "pods" };
  const metadata = { name: "web", namespace: "shop", labels: { app: "web" } };
  const spec = { containers: [{ name: "app", image: "example.test/app:1" }], nodeName: "local" };
  await api.client.create(pods, { apiVersion: "v1", kind: "Pod", metadata, spec });
  const state = { running: { startedAt: "2026-01-01T00:00:00Z" } };
  const containerStatuses = [
    { name: "app", image: "example.test/app:1", imageID: "", ready: true, restartCount: 0, started: true, state },
  ];
  const conditions = [{ type: "Ready", status: "True" }];
  await api.client.mergePatch(
    pods,
    "shop",
    "web",
    { status: { phase: "Running", podIP: "127.1.0.1", conditions, containerStatuses } },
    "status",
  );
}
