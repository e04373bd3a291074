import { createSocket } from "node:dgram";
import { decode, encode } from "dns-packet";
import { expect, test, vi } from "vitest";
import { createDerivations } from "../../src/base/derive.ts";
import { createGatewayNames, dnsResolve, type Resolved } from "../../src/controlplane/gateway-names.ts";
import { recordingLogger } from "../support/controlplane/recorder.ts";

/** Names of a DNS that the test writes; `asked` is who was asked for. */
function namesOf(answers: Record<string, Resolved | Error>) {
  const derivations = createDerivations();
  const log = recordingLogger();
  const asked: string[] = [];
  const resolve = (name: string): Promise<Resolved> => {
    asked.push(name);
    const answer = answers[name];
    return answer === undefined || answer instanceof Error
      ? Promise.reject(answer ?? new Error("none"))
      : Promise.resolve(answer);
  };
  const names = createGatewayNames({ derivations, resolve, log });
  const wanted = derivations.source<readonly string[]>(Object.keys(answers));
  const unfollow = names.follow(() => wanted.get());
  return { names, asked, answers, wanted, unfollow, log };
}

test("a name is resolved again when its time is over, within 30 seconds and an hour; addresses are sorted", async () => {
  vi.useFakeTimers();
  try {
    const { names, asked, answers, unfollow } = namesOf({
      "a.example": { addresses: ["192.0.2.2", "192.0.2.1"], ttlSeconds: 1 },
      "b.example": { addresses: ["192.0.2.3"], ttlSeconds: 86_400 },
    });
    const settled = names.settled();
    await vi.advanceTimersByTimeAsync(1);
    await settled;
    expect(names.addressesOf("a.example")).toEqual(["192.0.2.1", "192.0.2.2"]);
    answers["a.example"] = { addresses: ["192.0.2.9"], ttlSeconds: 1 };
    await vi.advanceTimersByTimeAsync(29_000);
    expect(asked).toEqual(["a.example", "b.example"]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(names.addressesOf("a.example")).toEqual(["192.0.2.9"]);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(asked.filter((name) => name === "b.example")).toHaveLength(2);
    unfollow();
    const until = asked.length;
    await vi.advanceTimersByTimeAsync(7_200_000);
    expect(asked).toHaveLength(until);
  } finally {
    vi.useRealTimers();
  }
});

test("while nobody answers, what was known stays and it is said; a name that nobody wants is forgotten", async () => {
  vi.useFakeTimers();
  try {
    const { names, answers, wanted, log, unfollow } = namesOf({
      "a.example": { addresses: ["192.0.2.1"], ttlSeconds: 1 },
    });
    await vi.advanceTimersByTimeAsync(1);
    answers["a.example"] = new Error("refused");
    await vi.advanceTimersByTimeAsync(31_000);
    expect(names.addressesOf("a.example")).toEqual(["192.0.2.1"]);
    expect(log.lines.map(({ message }) => message)).toEqual(["the name of a network gateway cannot be resolved"]);
    wanted.set([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(names.addressesOf("a.example")).toEqual([]);
    await names.settled();
    unfollow();
  } finally {
    vi.useRealTimers();
  }
});

test("DNS is asked for both families; a name that is not there is an answer, a server that fails is none", async () => {
  const socket = createSocket("udp4");
  const asked: string[] = [];
  socket.on("message", (bytes, { port, address }) => {
    const { id, questions = [] } = decode(bytes);
    const [{ name, type } = { name: "", type: "A" as const }] = questions;
    asked.push(`${type} ${name}`);
    const data = type === "A" ? "192.0.2.1" : "2001:db8::1";
    const answers = name === "lb.example.com" ? [{ type, name, data, ttl: type === "A" ? 90 : 45 } as const] : [];
    const code = { "gone.example.com": 3, "broken.example.com": 2 }[name] ?? 0;
    socket.send(
      encode({ type: "response", id: id ?? 0, flags: code, questions, answers: answers as never }),
      port,
      address,
    );
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  try {
    const resolve = dnsResolve([`127.0.0.1:${socket.address().port}`]);
    const { addresses, ttlSeconds } = await resolve("lb.example.com");
    expect([addresses.toSorted(), ttlSeconds]).toEqual([["192.0.2.1", "2001:db8::1"], 45]);
    expect(asked.toSorted()).toEqual(["A lb.example.com", "AAAA lb.example.com"]);
    expect(await resolve("gone.example.com")).toEqual({ addresses: [], ttlSeconds: 0 });
    expect(await resolve("empty.example.com")).toEqual({ addresses: [], ttlSeconds: 0 });
    await expect(resolve("broken.example.com")).rejects.toThrow(/ESERVFAIL/);
  } finally {
    socket.close();
  }
});
