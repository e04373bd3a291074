import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type ConnectionLimits, isOwnAddress, limitConnections } from "../../src/base/connection-limit.ts";
import { createRateLimit } from "../../src/base/rate-limit.ts";
import { waitFor } from "../support/wait.ts";

test("a client has its burst, then its rate, and nothing of another's", () => {
  let now = 0;
  const rate = createRateLimit({ burst: 3, perSecond: 2 }, () => now);
  const taken = (client: string, times: number) => Array.from({ length: times }, () => rate.take(client));
  expect(taken("a", 5)).toEqual([true, true, true, false, false]);
  expect(taken("b", 1)).toEqual([true]);
  now = 500;
  expect(taken("a", 2)).toEqual([true, false]);
  now = 60_000;
  expect(taken("a", 4)).toEqual([true, true, true, false]);
});

test("what is remembered does not grow with the number of clients", () => {
  const rate = createRateLimit({ burst: 1, perSecond: 0 }, () => 0);
  expect([rate.take("first"), rate.take("first")]).toEqual([true, false]);
  for (let client = 0; client < 20_000; client += 1) rate.take(String(client));
  expect(rate.take("first")).toBe(true);
});

const running: (Server | Socket)[] = [];
afterEach(() => {
  for (const one of running.splice(0)) {
    if ("destroy" in one) one.destroy();
    else one.close();
  }
});

async function serve(limits: ConnectionLimits) {
  const accepted = new Set<Socket>();
  const server = createServer((socket) => {
    if (socket.destroyed) return;
    accepted.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => accepted.delete(socket));
    running.push(socket);
  });
  limitConnections(server, limits);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  running.push(server);
  const { port } = server.address() as { port: number };
  const from = (localAddress: string): Socket => {
    const socket = connect({ port, host: "127.0.0.1", localAddress });
    socket.on("error", () => undefined);
    running.push(socket);
    return socket;
  };
  return { accepted, from };
}

test("one address has no more connections than allowed; others, and this machine, come through", async () => {
  const { accepted, from } = await serve({ total: 100, perClient: 2, rate: { burst: 100, perSecond: 0 } });
  const first = [from("127.0.0.7"), from("127.0.0.7")];
  await waitFor(() => accepted.size === 2, { what: "two connections" });
  const third = from("127.0.0.7");
  await waitFor(() => third.closed, { what: "the third to be ended" });
  for (const client of ["127.0.0.8", "127.0.0.1", "127.0.0.1", "127.0.0.1"]) from(client);
  await waitFor(() => accepted.size === 6, { what: "connections of others" });
  first[0]?.destroy();
  await waitFor(() => accepted.size === 5, { what: "the first to go" });
  from("127.0.0.7");
  await waitFor(() => accepted.size === 6, { what: "one in its place" });
});

test("one address makes new connections at a rate", async () => {
  const { accepted, from } = await serve({ total: 100, perClient: 100, rate: { burst: 3, perSecond: 0 } });
  const sockets = Array.from({ length: 5 }, () => from("127.0.0.7"));
  await waitFor(() => sockets.filter((socket) => socket.closed).length === 2, { what: "two to be ended" });
  expect(accepted.size).toBe(3);
  from("127.0.0.8");
  await waitFor(() => accepted.size === 4, { what: "another client" });
});

test.each([
  ["127.0.0.1", true],
  ["::ffff:127.0.0.1", true],
  ["::1", true],
  ["127.0.0.2", false],
  ["10.0.0.1", false],
  ["::ffff:10.127.0.1", false],
  ["", false],
])("%s is this machine itself: %s", (address, expected) => {
  expect(isOwnAddress(address)).toBe(expected);
});
