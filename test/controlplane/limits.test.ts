import { createServer, request as httpRequest } from "node:http";
import { afterEach, expect, test } from "vitest";
import type { SigningFacts } from "../../src/controlplane/audit.ts";
import { createBodies } from "../../src/controlplane/bodies.ts";
import { createFairQueue } from "../../src/controlplane/fair-queue.ts";
import { answering, type Listening, listen } from "../../src/controlplane/http.ts";
import { servingTls } from "../../src/controlplane/serving-tls.ts";
import { limitSigning } from "../../src/controlplane/signing-limits.ts";
import type { Peer } from "../../src/grpc/server.ts";
import { waitFor } from "../support/wait.ts";

/** Work that ends when it is told to; `order` says who was let in. */
function work() {
  const order: string[] = [];
  const ends: (() => void)[] = [];
  return {
    order,
    of: (client: string) => () =>
      new Promise<string>((resolve) => {
        order.push(client);
        ends.push(() => resolve(client));
      }),
    endAll: async () => {
      do {
        ends.shift()?.();
        await new Promise((resolve) => setImmediate(resolve));
      } while (ends.length > 0);
    },
  };
}

test("clients take turns: who brings much waits for himself", async () => {
  const queue = createFairQueue({ concurrency: 2, perClient: 100, total: 1_000 });
  const { order, of, endAll } = work();
  const all = "aaaaaaaabbc".split("").map((client) => queue.run(client, of(client)));
  await endAll();
  expect((await Promise.all(all)).join("")).toBe("aaaaaaaabbc");
  // two run at once, then one of each that waits
  expect(order.join("")).toBe("aaabcabaaaa");
});

test("too much waiting is refused, for one client and for all; a failure gives its place back", async () => {
  const queue = createFairQueue({ concurrency: 1, perClient: 2, total: 3 });
  const { of, endAll, order } = work();
  const running = ["a", "a", "a"].map((client) => queue.run(client, of(client)));
  await expect(queue.run("a", of("a"))).rejects.toMatchObject({ code: "busy" });
  running.push(queue.run("b", of("b")));
  await expect(queue.run("c", of("c"))).rejects.toMatchObject({ code: "busy" });
  await endAll();
  await Promise.all(running);
  expect(order.join("")).toBe("aaba");
  await expect(queue.run("a", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await queue.run("a", () => Promise.resolve("after"))).toBe("after");
});

test("a credential gets certificates at a rate; another one at the same address is not held up by it", async () => {
  const limited: SigningFacts[] = [];
  const sign = limitSigning(() => Promise.resolve({ chain: ["leaf"] }), {
    onLimited: (facts) => void limited.push(facts),
    now: () => 0,
  });
  const peer = (bearer: string): Peer => ({ address: "10.0.0.1:1", certificate: undefined, bearer });
  const ask = (bearer: string) => sign({ peer: peer(bearer), csr: "", validitySeconds: 0 });
  const answers = await Promise.all(Array.from({ length: 10_000 }, () => ask("greedy")));
  expect(answers.filter((answer) => "chain" in answer)).toHaveLength(100);
  expect(answers.at(-1)).toEqual({
    refusal: {
      status: "RESOURCE_EXHAUSTED",
      details: "this credential asked for too many certificates, ask again later",
    },
  });
  expect(limited).toHaveLength(9_900);
  expect(await ask("modest")).toEqual({ chain: ["leaf"] });
});

const open: Listening[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

test("bodies: the length that is told counts before anything is read; what is read at a time is bounded", async () => {
  const bodies = createBodies({ each: 1_000, perClient: 1_500, total: 10_000 });
  const handler = answering(
    async (request) => ({ status: 200, body: String((await bodies.read(request)).length) }),
    () => undefined,
  );
  const listening = await listen(createServer(handler), { host: "127.0.0.1", port: 0 });
  open.push(listening);
  const { port } = listening;
  const post = async (body: string) => (await fetch(`http://127.0.0.1:${port}`, { method: "POST", body })).status;
  /** Sends half a body; resolves with the status when there is one. */
  const half = (length: number, localAddress: string) => {
    const sent = httpRequest({
      port,
      host: "127.0.0.1",
      localAddress,
      method: "POST",
      headers: { "content-length": length },
    });
    sent.on("error", () => undefined);
    sent.write("x".repeat(Math.min(length, 900)));
    return {
      sent,
      status: new Promise<number>((resolve) => sent.on("response", ({ statusCode = 0 }) => resolve(statusCode))),
    };
  };
  expect(await half(1 << 30, "127.0.0.1").status).toBe(413);
  const slow = [half(950, "127.0.0.9"), half(950, "127.0.0.9")];
  // one of the two is over what one client may hold
  expect(await Promise.race(slow.map(({ status }) => status))).toBe(429);
  expect(await post("x".repeat(1_000))).toBe(200);
  for (const { sent } of slow) sent.destroy();
  await waitFor(async () => (await half(900, "127.0.0.9").status) === 200, { what: "the same client afterwards" });
});

test.each([
  [{}, undefined, { minVersion: "TLSv1.3" }],
  [{ meshMTLS: { minProtocolVersion: "TLSV1_2" } }, undefined, { minVersion: "TLSv1.2" }],
  [{ meshMTLS: { minProtocolVersion: "TLSV1_3" } }, undefined, { minVersion: "TLSv1.3" }],
  [{ meshMTLS: { minProtocolVersion: "TLS_AUTO" } }, undefined, { minVersion: "TLSv1.3" }],
  [{ meshMTLS: { minProtocolVersion: "TLSV1_3" } }, "fips-140-2", { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" }],
] as const)("%j and the policy %s: the ports take %j", (raw, compliance, expected) => {
  expect(servingTls({ raw }, compliance)).toMatchObject(expected);
});
