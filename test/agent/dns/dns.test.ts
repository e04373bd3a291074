import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { createServer, connect } from "node:net";
import { type Answer, decode, encode, type Packet, streamDecode, streamEncode } from "dns-packet";
import { afterEach, expect, test } from "vitest";
import { answerQuery } from "../../../src/agent/dns/answer.ts";
import { createLookup, type NameTable } from "../../../src/agent/dns/names.ts";
import { createDnsServer } from "../../../src/agent/dns/server.ts";
import { createUpstream, framed } from "../../../src/agent/dns/upstream.ts";

// Real sockets: Node's own resolver (c-ares) asks the agent's DNS server, behind which stands a small upstream.
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const TABLE: NameTable = {
  table: {
    "web.shop.svc.cluster.local": {
      ips: ["10.96.0.7", "fd00::7"],
      registry: "Kubernetes",
      shortname: "web",
      namespace: "shop",
    },
    "db.data.svc.cluster.local": {
      ips: ["10.244.1.1", "10.244.1.2"],
      registry: "Kubernetes",
      shortname: "db",
      namespace: "data",
    },
    "db-0.db.data.svc.cluster.local": {
      ips: ["10.244.1.1"],
      registry: "Kubernetes",
      shortname: "db-0.db",
      namespace: "data",
    },
    "many.shop.svc.cluster.local": { ips: Array.from({ length: 300 }, (_, i) => `10.1.${i >> 8}.${i & 255}`) },
    "API.example.com": { ips: ["240.240.1.1", "2001:2::f0f0:101"], registry: "External" },
    "*.example.com": { ips: ["192.0.2.1"], registry: "External" },
    "*.deep.example.com": { ips: ["192.0.2.2"], registry: "External" },
  },
};
const ASKER = {
  namespace: "shop",
  serviceDomain: "svc.cluster.local",
  search: ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.test"],
};

/** A port that was free for both transports a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Upstream {
  readonly port: number;
  /** What was asked, over which transport, under which id and from which port. */
  readonly asked: { readonly via: "udp" | "tcp"; readonly id: number; readonly from: number; readonly query: Packet }[];
}

type Reply = (query: Packet) => Packet | undefined;

const outside: Reply = (query) => ({
  id: query.id ?? 0,
  type: "response",
  flags: 384,
  questions: query.questions ?? [],
  answers: [{ type: "A", name: query.questions?.[0]?.name ?? "", ttl: 7, data: "203.0.113.9" }],
});
const refuse =
  (rcode: number): Reply =>
  (query) => ({ id: query.id ?? 0, type: "response", flags: 384 | rcode, questions: query.questions ?? [] });

async function startUpstream(reply: Reply): Promise<Upstream> {
  const port = await freePort();
  const asked: Upstream["asked"] = [];
  const udp = createSocket("udp4").on("message", (bytes, { port: from, address }) => {
    const query = decode(bytes);
    asked.push({ via: "udp", id: query.id ?? 0, from, query });
    const answer = reply(query);
    if (answer !== undefined) udp.send(encode(answer), from, address);
  });
  await new Promise<void>((resolve) => udp.bind(port, "127.0.0.1", resolve));
  const tcp = createServer((socket) => {
    socket.on("data", (bytes) => {
      const query = streamDecode(bytes);
      asked.push({ via: "tcp", id: query.id ?? 0, from: socket.remotePort ?? 0, query });
      const answer = reply(query);
      if (answer !== undefined) socket.end(streamEncode(answer));
    });
  }).listen(port, "127.0.0.1");
  closers.push(
    () => new Promise<void>((resolve) => udp.close(() => resolve())),
    () => new Promise((resolve) => tcp.close(resolve)),
  );
  return { port, asked };
}

interface Options {
  readonly upstreams?: readonly Upstream[];
  readonly table?: NameTable | undefined;
  readonly timeout?: number;
  readonly parallel?: boolean;
}

/** The agent's server; the port it listens on. */
async function startAgent(options: Options = {}): Promise<number> {
  const table = "table" in options ? options.table : TABLE;
  const lookup = table && createLookup(table, ASKER);
  const upstream = createUpstream({
    servers: (options.upstreams ?? []).map(({ port }) => ({ address: "127.0.0.1", port })),
    timeout: options.timeout ?? 2_000,
    parallel: options.parallel ?? false,
  });
  const port = await freePort();
  const deps = { lookup: () => Promise.resolve(lookup), upstream, random: Math.random };
  const server = createDnsServer(["127.0.0.1"], port, (message, via) => answerQuery(deps, message, via));
  closers.push(() => server.close());
  await server.start();
  return port;
}

function resolverAt(port: number): Resolver {
  const resolver = new Resolver({ timeout: 3_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  return resolver;
}

/** One message over UDP, byte by byte. */
async function ask(port: number, query: Buffer): Promise<Buffer> {
  const socket = createSocket("udp4");
  closers.push(() => socket.close());
  const answer = new Promise<Buffer>((resolve) => socket.once("message", resolve));
  socket.send(query, port, "127.0.0.1");
  return answer;
}

function query(name: string, type: "A" | "AAAA" | "SRV" | "MX" = "A", additionals: readonly Answer[] = []): Buffer {
  return encode({
    type: "query",
    id: 4711,
    flags: 256,
    questions: [{ type, name, class: "IN" }],
    additionals: [...additionals],
  });
}

const addressesIn = (packet: Packet): readonly unknown[] =>
  (packet.answers ?? []).flatMap((answer) => (answer.type === "A" || answer.type === "AAAA" ? [answer.data] : []));
const rcode = (bytes: Buffer): number => bytes.readUInt16BE(2) & 15;

test.each([
  ["web.shop.svc.cluster.local", ["10.96.0.7"]],
  ["WEB.Shop.svc.cluster.local", ["10.96.0.7"]],
  ["web.shop.svc", ["10.96.0.7"]],
  ["web.shop", ["10.96.0.7"]],
  ["web", ["10.96.0.7"]],
  ["db.data", ["10.244.1.1", "10.244.1.2"]],
  ["db-0.db.data.svc", ["10.244.1.1"]],
  ["api.example.com", ["240.240.1.1"]],
  ["other.example.com", ["192.0.2.1"]],
  ["a.b.example.com", ["192.0.2.1"]],
  ["x.deep.example.com", ["192.0.2.2"]],
  ["deep.example.com", ["192.0.2.1"]],
  // As libc asks, with a search domain behind: the answer is an alias of the name that was meant.
  ["api.example.com.shop.svc.cluster.local", ["240.240.1.1"]],
  ["web.shop.svc.cluster.local.corp.test", ["10.96.0.7"]],
  ["x.deep.example.com.svc.cluster.local", ["192.0.2.2"]],
])("a name that exists only in the mesh: %s", async (name, expected) => {
  const resolver = resolverAt(await startAgent());
  const got = await resolver.resolve4(name, { ttl: true });
  expect(got.map(({ address }) => address).toSorted()).toEqual(expected);
  expect(got.every(({ ttl }) => ttl === 30)).toBe(true);
});

test("IPv6 addresses; a name without any has no data, but exists", async () => {
  const port = await startAgent();
  const resolver = resolverAt(port);
  expect(await resolver.resolve6("web.shop")).toEqual(["fd00::7"]);
  await expect(resolver.resolve6("db.data")).rejects.toMatchObject({ code: "ENODATA" });
  const answer = await ask(port, query("db.data", "AAAA"));
  expect(rcode(answer)).toBe(0);
  expect(decode(answer).answers).toEqual([]);
});

test("an alias stands before the addresses of the name that was meant", async () => {
  const answer = decode(await ask(await startAgent(), query("api.example.com.shop.svc.cluster.local")));
  expect(answer.answers?.map(({ type, name }) => `${type} ${name}`)).toEqual([
    "CNAME api.example.com.shop.svc.cluster.local",
    "A api.example.com",
  ]);
});

test("short names are those of the own namespace alone", async () => {
  const upstream = await startUpstream(refuse(3));
  const resolver = resolverAt(await startAgent({ upstreams: [upstream] }));
  await expect(resolver.resolve4("db")).rejects.toMatchObject({ code: "ENOTFOUND" });
  expect(upstream.asked.length).toBeGreaterThan(0);
});

test("what does not fit over UDP is cut, and comes whole over TCP", async () => {
  const port = await startAgent();
  const cut = await ask(port, query("many.shop.svc.cluster.local"));
  expect(cut.length).toBeLessThanOrEqual(512);
  expect(cut.readUInt16BE(2) & 0x0200, "marked as cut").toBe(0x0200);
  expect(addressesIn(decode(cut)).length).toBeGreaterThan(20);
  const opt = {
    type: "OPT",
    name: ".",
    udpPayloadSize: 1232,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
  };
  const wider = decode(await ask(port, query("many.shop.svc.cluster.local", "A", [{ ...opt, options: [] } as Answer])));
  expect(addressesIn(wider).length).toBeGreaterThan(60);
  expect(wider.additionals?.map(({ type }) => type)).toEqual(["OPT"]);
  // Node's resolver asks again over TCP by itself.
  expect(new Set(await resolverAt(port).resolve4("many.shop.svc.cluster.local")).size).toBe(300);
});

test("answers take turns", async () => {
  const resolver = resolverAt(await startAgent());
  const first = new Set<string | undefined>();
  for (let turn = 0; turn < 40; turn += 1) first.add((await resolver.resolve4("db.data"))[0]);
  expect(first).toEqual(new Set(["10.244.1.1", "10.244.1.2"]));
});

test("several queries behind one another on one TCP connection, in pieces", async () => {
  const socket = connect({ host: "127.0.0.1", port: await startAgent() });
  closers.push(() => socket.destroy());
  let received = Buffer.alloc(0);
  const both = new Promise<void>((resolve) => {
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length > 2 && received.length >= 4 + 2 * received.readUInt16BE(0)) resolve();
    });
  });
  const bytes = Buffer.concat([framed(query("web.shop")), framed(query("web.shop"))]);
  socket.write(bytes.subarray(0, 5));
  socket.write(bytes.subarray(5));
  await both;
  expect(addressesIn(streamDecode(received))).toEqual(["10.96.0.7"]);
});

test("other names are upstream's, over the same transport, under another id and from a port of their own", async () => {
  const upstream = await startUpstream(outside);
  const port = await startAgent({ upstreams: [upstream] });
  for (let turn = 0; turn < 8; turn += 1) {
    const answer = await ask(port, query("elsewhere.test"));
    expect(answer.readUInt16BE(0)).toBe(4711);
    expect(addressesIn(decode(answer))).toEqual(["203.0.113.9"]);
  }
  expect(upstream.asked.every(({ via }) => via === "udp")).toBe(true);
  expect(new Set(upstream.asked.map(({ id }) => id)).size).toBeGreaterThan(4);
  expect(new Set(upstream.asked.map(({ from }) => from)).size).toBeGreaterThan(4);
  const socket = connect({ host: "127.0.0.1", port });
  closers.push(() => socket.destroy());
  socket.write(framed(query("elsewhere.test")));
  const bytes = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
  expect(addressesIn(streamDecode(bytes))).toEqual(["203.0.113.9"]);
  expect(upstream.asked.at(-1)?.via).toBe("tcp");
});

test("an answer under a wrong id or to another question is none", async () => {
  const forged = await startUpstream((asked) => ({ ...outside(asked), id: ((asked.id ?? 0) + 1) & 0xffff }) as Packet);
  const other = await startUpstream(
    (asked) => ({ ...outside(asked), questions: [{ type: "A", name: "bank.test", class: "IN" }] }) as Packet,
  );
  for (const upstream of [forged, other]) {
    const answer = await ask(await startAgent({ upstreams: [upstream], timeout: 300 }), query("elsewhere.test"));
    expect(rcode(answer)).toBe(2);
  }
});

test.each([false, true])("a server that fails or is silent is passed over (parallel: %s)", async (parallel) => {
  const failing = await startUpstream(refuse(2));
  const silent = await startUpstream(() => undefined);
  const good = await startUpstream(outside);
  const port = await startAgent({ upstreams: [failing, silent, good], parallel, timeout: 4_000 });
  expect(addressesIn(decode(await ask(port, query("elsewhere.test"))))).toEqual(["203.0.113.9"]);
});

test("nobody upstream answers: the server has failed; nobody is there: too", async () => {
  const silent = await startUpstream(() => undefined);
  expect(rcode(await ask(await startAgent({ upstreams: [silent], timeout: 200 }), query("elsewhere.test")))).toBe(2);
  expect(rcode(await ask(await startAgent(), query("elsewhere.test")))).toBe(2);
});

test("upstream says that a name does not exist: so it is, unless the mesh knows it", async () => {
  const upstream = await startUpstream(refuse(3));
  const port = await startAgent({ upstreams: [upstream] });
  expect(rcode(await ask(port, query("nowhere.test")))).toBe(3);
  expect(rcode(await ask(port, query("web.shop.svc.cluster.local", "MX")))).toBe(0);
  expect(upstream.asked.map((one) => one.query.questions?.[0]?.type)).toEqual(["A", "MX"]);
});

test("before the first table nothing is said about any name", async () => {
  expect(rcode(await ask(await startAgent({ table: undefined }), query("web.shop")))).toBe(2);
});

test("what is no query gets an error or nothing, and the server lives", async () => {
  const port = await startAgent();
  const twice = encode({
    type: "query",
    id: 1,
    questions: [
      { type: "A", name: "a" },
      { type: "A", name: "b" },
    ],
  });
  expect(rcode(await ask(port, twice))).toBe(1);
  const looped = Buffer.from(query("web.shop"));
  looped.writeUInt16BE(0xc00c, 12);
  expect(rcode(await ask(port, looped))).toBe(1);
  const update = Buffer.from(query("web.shop"));
  update.writeUInt16BE(5 << 11, 2);
  expect(rcode(await ask(port, update))).toBe(4);
  const socket = createSocket("udp4");
  closers.push(() => socket.close());
  for (const bytes of [Buffer.alloc(3), encode({ type: "response", id: 1 })]) socket.send(bytes, port, "127.0.0.1");
  expect(addressesIn(decode(await ask(port, query("web.shop"))))).toEqual(["10.96.0.7"]);
});
