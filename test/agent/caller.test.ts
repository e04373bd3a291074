import { request } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { callerCommand } from "../../src/agent/caller.ts";
import { UsageError } from "../../src/base/errors.ts";
import { freePorts } from "../support/envoy/free-ports.ts";
import { waitFor } from "../support/wait.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A caller on a port of its own. */
async function caller(idleSeconds = "60") {
  const [port = 0] = await freePorts(1);
  const said: string[] = [];
  let terminate = (): void => undefined;
  const ended = callerCommand(["--port", String(port), "--idleSeconds", idleSeconds], {
    out: (text) => said.push(text),
    env: {},
    onTerminate: (act) => {
      terminate = act;
    },
  });
  ends.push(() => {
    terminate();
    return ended;
  });
  await waitFor(() => said.length > 0, { what: "the caller to listen" });
  return { port, ended, said };
}

/** What a CONNECT for an address is answered. */
function connectTo(port: number, address: string) {
  return new Promise<{ status: number | undefined; from: unknown; reason: unknown; socket: Socket }>(
    (resolve, reject) => {
      const asked = request({ host: "127.0.0.1", port, method: "CONNECT", path: address, agent: false });
      asked.on("error", reject);
      asked.on("connect", ({ statusCode, headers }, socket) =>
        resolve({
          status: statusCode,
          from: headers["mesh-dialled-from"],
          reason: headers["mesh-not-dialled"],
          socket: socket as Socket,
        }),
      );
      asked.end();
    },
  );
}

/** A server that answers each chunk with itself, and tells who came. */
async function echo() {
  const came: string[] = [];
  const server = createServer((socket) => {
    came.push(`${socket.remoteAddress ?? ""}:${socket.remotePort ?? 0}`);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => server.close());
  return { came, port: (server.address() as AddressInfo).port };
}

test("it connects where it is asked to, names looked up by itself, tells from where, and passes bytes on both ways", async () => {
  const { port } = await caller();
  const server = await echo();
  const { status, from, socket } = await connectTo(port, `localhost:${server.port}`);
  expect(status).toBe(200);
  expect(server.came).toEqual([from]);
  let back = "";
  socket.on("data", (chunk: Buffer) => (back += chunk.toString()));
  socket.write("ping");
  await waitFor(() => back === "ping", { what: "the echo" });
  socket.destroy();
});

test("what cannot be reached is told with the reason, what is no address is refused", async () => {
  const { port } = await caller();
  const [closed = 0] = await freePorts(1);
  const refused = await connectTo(port, `127.0.0.1:${closed}`);
  expect(refused).toMatchObject({ status: 502, reason: expect.stringContaining("ECONNREFUSED") as string });
  expect(await connectTo(port, "127.0.0.1:0")).toMatchObject({ status: 400, from: undefined });
});

test("it ends by itself when nobody asks, not while a connection stands", async () => {
  const { port, ended } = await caller("0.3");
  const server = await echo();
  const { socket } = await connectTo(port, `127.0.0.1:${server.port}`);
  let back = 0;
  socket.on("data", (chunk: Buffer) => (back += chunk.length));
  const since = performance.now();
  await waitFor(() => performance.now() - since > 900, { what: "three times the idle time" });
  socket.write("still");
  await waitFor(() => back === 5, { what: "the echo" });
  socket.destroy();
  expect(await ended).toBe(0);
});

test("a port that is taken is told", async () => {
  const { port } = await echo();
  const io = { out: () => undefined, env: {}, onTerminate: () => undefined };
  await expect(callerCommand(["--port", String(port)], io)).rejects.toThrow(UsageError);
});
