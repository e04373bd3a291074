import { expect, test } from "vitest";
import { silentLogger } from "../../src/base/logger.ts";
import { createCounts } from "../../src/ratelimit/counts.ts";
import { createLimiter, type Limiter } from "../../src/ratelimit/limiter.ts";
import { createPeers } from "../../src/ratelimit/peers.ts";

/** Replicas in one process, that reach each other but for those that are down. */
function replicas(names: readonly string[]) {
  const down = new Set<string>();
  let now = 1_000_000;
  const limiters = new Map<string, Limiter>();
  const reach = (name: string): Limiter => {
    const limiter = limiters.get(name);
    if (limiter === undefined || down.has(name)) throw new Error(`${name} is down`);
    return limiter;
  };
  const start = (self: string): void => {
    const peers = createPeers({
      self,
      now: () => now,
      log: silentLogger,
      connect: (name) => ({
        ask: async (request) => reach(name).answer(request, true),
        merge: async (counts) => reach(name).merge(counts),
        close: () => undefined,
      }),
    });
    const none = (): void => undefined;
    limiters.set(
      self,
      createLimiter({ self, peers, counts: createCounts(100), now: () => now, onCounted: none, onForwarded: none }),
    );
  };
  for (const name of names) start(name);
  return {
    down,
    start,
    at: (name: string): Limiter => reach(name),
    join: async () => {
      for (const name of names) await reach(name).membersChanged(names);
    },
    replicate: async () => {
      for (const name of names) if (!down.has(name)) await reach(name).replicate();
    },
    later: (ms: number): void => {
      now += ms;
    },
  };
}

async function hit(limiter: Limiter, user: string): Promise<string> {
  const entries = [
    { key: "limit", value: "all" },
    { key: "user", value: user },
  ];
  const answer = await limiter.answer(
    { domain: "shop/cart", descriptors: [{ entries, limit: { requests_per_unit: 4, unit: "YEAR" } }] },
    false,
  );
  return `${answer.overall_code} ${answer.statuses?.[0]?.limit_remaining}`;
}

test("whichever replica is asked, one counts", async () => {
  const mesh = replicas(["a", "b", "c"]);
  await mesh.join();
  for (const user of ["x", "y", "z"]) {
    const said = [];
    for (const name of ["a", "b", "c", "a", "b"]) said.push(await hit(mesh.at(name), user));
    expect(said).toEqual(["OK 3", "OK 2", "OK 1", "OK 0", "OVER_LIMIT 0"]);
  }
});

test("when the one that counts goes, the next knows what it had told", async () => {
  for (const user of ["x", "y", "z", "u", "v"]) {
    const mesh = replicas(["a", "b"]);
    await mesh.join();
    for (let count = 0; count < 4; count++) await hit(mesh.at("a"), user);
    await mesh.replicate();
    mesh.down.add("a");
    expect(await hit(mesh.at("b"), user)).toBe("OVER_LIMIT 0");
  }
});

test("one that comes back without its counts is told them before it counts again", async () => {
  for (const user of ["x", "y", "z", "u", "v"]) {
    const mesh = replicas(["a", "b"]);
    await mesh.join();
    for (let count = 0; count < 4; count++) await hit(mesh.at("b"), user);
    await mesh.replicate();
    mesh.down.add("a");
    await hit(mesh.at("b"), user);
    await mesh.replicate();
    mesh.down.delete("a");
    mesh.start("a");
    mesh.later(1_000);
    await mesh.at("b").replicate();
    await mesh.at("a").membersChanged(["a", "b"]);
    expect([await hit(mesh.at("a"), user), await hit(mesh.at("b"), user)]).toEqual(["OVER_LIMIT 0", "OVER_LIMIT 0"]);
  }
});

test("what nobody can be asked about is counted where it arrives", async () => {
  const mesh = replicas(["a", "b"]);
  await mesh.join();
  mesh.down.add("b");
  for (const user of ["x", "y", "z"]) expect(await hit(mesh.at("a"), user)).toBe("OK 3");
});

test("a descriptor without limit is let through", async () => {
  const answer = await replicas(["a"])
    .at("a")
    .answer({ domain: "d", descriptors: [{ entries: [{ key: "k", value: "v" }] }] }, false);
  expect(answer).toEqual({ overall_code: "OK", statuses: [{ code: "OK" }] });
});
