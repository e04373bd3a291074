import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { explicitPort } from "../../../../src/base/explicit-port.ts";
import type { KubeObject } from "../../../../src/resources/object.ts";
import { readCases } from "../../../support/traffic/case.ts";
import { samples } from "../../../support/envoy/prometheus.ts";
import { type Lab, startLab } from "../../../support/traffic/lab.ts";
import { PORTS } from "../../../support/traffic/mesh-objects.ts";
import { exchange, open, openCall, type Place, sendAndEnd, sendWhenAsked } from "../../../support/traffic/streams.ts";
import { waitFor } from "../../../support/wait.ts";

// What takes longer than one request and its answer, through the client's and the server's sidecar with mutual TLS.
const cases = readCases(join(import.meta.dirname, "cases"), "plain");
const MEGABYTE = 1 << 20;
let lab: Lab;
let idle: Socket;

beforeAll(async () => {
  lab = await startLab(cases);
  idle = await open(echo(90));
  expect(await exchange(idle, "first")).toBe("v1:first");
});
afterAll(async () => {
  idle?.destroy();
  await lab?.stop();
});

function echo(port: number): Place {
  const host = lab.address(cases[0]?.namespace ?? "", "echo");
  if (host === undefined) throw new Error("the case plain has no service echo");
  return { host, port: explicitPort(port) };
}

/** The value of the one series with these labels, once it has as many as the calls before had messages. */
function totalOf(text: string, name: string, parts: readonly string[]): number | undefined {
  const line = text.split("\n").find((one) => one.startsWith(`${name}{`) && parts.every((part) => one.includes(part)));
  const value = Number(/ (\d+)$/.exec(line ?? "")?.[1] ?? 0);
  return value >= 7 ? value : undefined;
}

describe("streams", () => {
  test("a gRPC call goes on message by message, and ends with its trailers", async () => {
    const call = openCall(echo(82));
    for (const text of ["one", "two", "x".repeat(100_000)]) expect(await call.say(text)).toBe(text);
    expect(await call.end()).toMatchObject({ "grpc-status": "0", "x-bytes": String(100_006 + 3 * 5) });
  });

  test("several calls at once do not wait for each other", async () => {
    const calls = [openCall(echo(82)), openCall(echo(82))];
    for (const text of ["one", "two"]) for (const call of calls) expect(await call.say(text)).toBe(text);
    for (const call of calls) expect(await call.end()).toMatchObject({ "grpc-status": "0" });
  });

  test("their messages are counted on both sides, with all labels, under the standard names", async () => {
    const labels = [
      'connection_security_policy="unknown"',
      'destination_workload="v1"',
      'grpc_response_status="0"',
      'reporter="source"',
      'request_protocol="grpc"',
      'source_workload="client"',
    ];
    const served = ['reporter="destination"', 'connection_security_policy="mutual_tls"', 'source_workload="client"'];
    // one call with three messages and two with two each; the application answers each message with one
    for (const name of ["istio_request_messages_total", "istio_response_messages_total"])
      for (const [proxy, parts] of [
        ["client", labels],
        ["v1", served],
      ] as const)
        expect(
          await waitFor(() => totalOf(lab.proxies[proxy].counted(), name, parts), { what: `${name} of ${proxy}` }),
        ).toBe(7);
    expect([...lab.proxies.client.counted().matchAll(/(\w+)="/g)].length).toBe(2 * 25);
  });

  test("a large body goes both ways, once the server has asked for it (100)", async () => {
    const body = randomBytes(8 * MEGABYTE);
    const answer = await sendWhenAsked(echo(80), body);
    expect(answer.asked).toBe(true);
    expect(answer.body.equals(body)).toBe(true);
  });

  test("bytes still come after the client has ended its side", async () => {
    const bytes = randomBytes(2 * MEGABYTE);
    const answer = await sendAndEnd(echo(90), bytes);
    expect(answer.subarray(0, 3).toString()).toBe("v1:");
    expect(answer.length).toBeGreaterThan(bytes.length);
    expect(answer.subarray(-MEGABYTE).equals(bytes.subarray(-MEGABYTE))).toBe(true);
  });

  test("HTTP/1.0 is answered where the proxy's configuration takes it, and refused with 426 elsewhere", async () => {
    const request = Buffer.from("GET /old HTTP/1.0\r\nHost: echo\r\n\r\n");
    const answer = (await sendAndEnd(echo(80), request, true)).toString();
    expect(answer).toMatch(/^HTTP\/1\.0 200 OK\r\n/);
    expect(answer).toContain('"who":"v1"');
    const direct = await sendAndEnd({ host: `${lab.places.v1}.0.1`, port: PORTS.http }, request, true);
    expect(direct.toString()).toMatch(/^HTTP\/1\.1 426 /);
  });

  test("a connection that was idle all the while still serves", async () => {
    expect(await exchange(idle, "again")).toBe("again");
  });
});

test("bytes of an open connection are counted as often as reportingInterval says, and not again at its end", async () => {
  const received = (): number => {
    const lines = lab.proxies.client.counted().split("\n");
    const own = lines.filter((line) => line.startsWith("istio_tcp_received_bytes_total{"));
    return own.reduce((sum, line) => sum + Number(/ (\d+)$/.exec(line)?.[1] ?? 0), 0);
  };
  const before = received();
  const spec = { metrics: [{ providers: [{ name: "prometheus" }], reportingInterval: "1s" }] };
  const metadata = { name: "often", namespace: "istio-system" };
  const object = { apiVersion: "telemetry.istio.io/v1", kind: "Telemetry", metadata, spec } as KubeObject;
  lab.plane.state.world.apply([{ type: "set", object }]);
  await waitFor(
    async () => (await lab.proxies.client.admin("/config_dump")).includes('"access_log_flush_interval": "1s"'),
    {
      what: "the interval",
    },
  );
  const socket = await open(echo(90));
  const said = "0123456789";
  const began = performance.now();
  await exchange(socket, said);
  await waitFor(() => received() >= before + said.length, { what: "the bytes" });
  // less than the five seconds of who is not told otherwise
  expect(performance.now() - began).toBeLessThan(4_500);
  const closed = async (): Promise<number> => {
    const found = await samples(lab.proxies.client, "istio_tcp_connections_closed_total");
    return found.reduce((sum, { value }) => sum + value, 0);
  };
  const ended = await closed();
  socket.destroy();
  await waitFor(async () => (await closed()) > ended, { what: "its end to be counted" });
  expect(received()).toBe(before + said.length);
  lab.plane.state.world.apply([{ type: "delete", object }]);
});

test("no proxy refused anything", () => {
  expect(lab.plane.problems).toEqual([]);
});
