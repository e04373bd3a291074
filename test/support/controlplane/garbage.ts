import { request as httpsRequest } from "node:https";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type Dice, dice } from "../simulate/dice.ts";

/** Where to throw it: what speaks TLS, what HTTP/2 with gRPC, what takes reviews. */
export interface Targets {
  /** Default: 127.0.0.1. */
  readonly host?: string;
  readonly http: number;
  readonly monitoring: number;
  readonly secureGrpc: number;
  readonly https: number;
}

/** What was thrown. */
export interface Thrown {
  readonly connections: number;
  readonly bytes: number;
}

/** How long one connection may take. */
const PATIENCE_MS = 300;
const PARALLEL = 24;

/**
 * Throws garbage at the ports for so many milliseconds: random bytes, requests and frames that are cut off, headers and reviews of
 * absurd size and depth, streams that are reset as fast as they are opened, connections that say nothing. The same seed makes the
 * same garbage; how much of it depends on the machine.
 */
export async function throwGarbage(targets: Targets, forMs: number, seed: number): Promise<Thrown> {
  const until = Date.now() + forMs;
  const silent = hold(targets, 200);
  let connections = silent.length;
  let bytes = 0;
  const thrower = async (number: number): Promise<void> => {
    const roll = dice(seed + number);
    while (Date.now() < until) {
      const throwOne = roll.pick([rawBytes, rawHttp, rawFrames, review]);
      const thrown = await throwOne(targets, roll);
      bytes += thrown;
      connections += 1;
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, (_, number) => thrower(number)));
  for (const socket of silent) socket.destroy();
  return { connections, bytes };
}

/** Connections that begin something and go on slowly, or never. */
function hold(targets: Targets, count: number): readonly Socket[] {
  return Array.from({ length: count }, (_, index) => {
    const port = [targets.http, targets.monitoring, targets.secureGrpc, targets.https][index % 4] ?? 0;
    const socket = connect(port, hostOf(targets));
    socket.on("error", () => undefined);
    if (index % 3 === 0) socket.write("POST /validate HTTP/1.1\r\nHost: a\r\nX: ");
    if (index % 3 === 1) socket.write(Buffer.of(0x16, 0x03, 0x01, 0x02, 0x00));
    return socket;
  });
}

function randomBytes(roll: Dice, most: number): Buffer {
  const bytes = Buffer.allocUnsafe(1 + roll.int(most));
  for (let at = 0; at < bytes.length; at += 4096) bytes.fill(String.fromCharCode(roll.int(256)), at);
  for (let times = 0; times < 64; times += 1) bytes[roll.int(bytes.length)] = roll.int(256);
  return bytes;
}

/** Writes and waits for the end, but not for long. */
function send(socket: Socket, parts: readonly (Buffer | string)[]): Promise<number> {
  return new Promise((resolve) => {
    let written = 0;
    const done = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(written);
    };
    const timer = setTimeout(done, PATIENCE_MS);
    socket.on("error", done);
    socket.on("close", done);
    socket.on("data", () => undefined);
    for (const part of parts) {
      socket.write(part);
      written += part.length;
    }
  });
}

function hostOf({ host = "127.0.0.1" }: Targets): string {
  return host;
}

function open(targets: Targets, port: number, protocols: readonly string[] | undefined): Socket {
  const host = hostOf(targets);
  if (protocols === undefined) return connect(port, host);
  return connectTls({ port, host, rejectUnauthorized: false, ALPNProtocols: [...protocols] });
}

function rawBytes(targets: Targets, roll: Dice): Promise<number> {
  const [port, tls] = roll.pick([
    [targets.http, undefined],
    [targets.monitoring, undefined],
    [targets.secureGrpc, undefined],
    [targets.https, undefined],
    [targets.secureGrpc, ["h2"]],
    [targets.secureGrpc, ["http/1.1"]],
    [targets.https, ["http/1.1"]],
  ] as const);
  return send(open(targets, port, tls), [randomBytes(roll, 64 * 1024)]);
}

function rawHttp(targets: Targets, roll: Dice): Promise<number> {
  const [port, tls] = roll.pick([
    [targets.http, undefined],
    [targets.monitoring, undefined],
    [targets.https, ["http/1.1"]],
  ] as const);
  const path = roll.pick([
    "/ready",
    "/debug/syncz",
    "/debug/config_dump?proxyID=%",
    "/validate",
    "/inject/%zz",
    "//",
    "*",
    "http://[",
  ]);
  const head = `${roll.pick(["GET", "POST", "PRI", "CONNECT"])} ${path} HTTP/1.1\r\nHost: ${roll.pick(["a", "", "[", "x".repeat(300)])}\r\n`;
  const rest = roll.pick([
    "",
    "\r\n",
    `X-Large: ${"x".repeat(200_000)}\r\n\r\n`,
    `${"X: y\r\n".repeat(5_000)}\r\n`,
    "Content-Length: 99999999999999999999\r\n\r\n{",
    "Content-Length: -1\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\nffffffffff\r\nx",
    "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /ready HTTP/1.1\r\n\r\n",
    "Authorization: Bearer a.b.c\r\n\r\n",
    `Authorization: Bearer ${"a".repeat(12_000)}.b.c\r\n\r\n`,
    "Expect: 100-continue\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
  ]);
  return send(open(targets, port, tls), [head, rest]);
}

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const [DATA, HEADERS, RESET, SETTINGS, PING, CONTINUATION] = [0, 1, 3, 4, 6, 9];

/** One HTTP/2 frame. */
function frame(type: number, flags: number, stream: number, body: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, body]);
}

/** The frame with a length that is not its own. */
function withLength(bytes: Buffer, length: number): Buffer {
  const lying = Buffer.from(bytes);
  lying.writeUIntBE(length, 0, 3);
  return lying;
}

/** Headers of a call of our services, without Huffman and without the dynamic table. */
function headers(path: string): Buffer {
  const text = (value: string): Buffer => Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
  const pair = (name: string, value: string): Buffer => Buffer.concat([Buffer.of(0), text(name), text(value)]);
  // 0x83 is ":method: POST", 0x87 ":scheme: https"
  return Buffer.concat([
    Buffer.of(0x83, 0x87),
    pair(":path", path),
    pair("content-type", "application/grpc"),
    pair("te", "trailers"),
  ]);
}

const CALLS = [
  "/istio.v1.auth.IstioCertificateService/CreateCertificate",
  "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
  "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
  "/nobody/Nothing",
];

function rawFrames(targets: Targets, roll: Dice): Promise<number> {
  const call = (stream: number, flags = 4): Buffer => frame(HEADERS, flags, stream, headers(roll.pick(CALLS)));
  const message = (body: Buffer, length = body.length): Buffer => {
    const prefix = Buffer.alloc(5);
    prefix.writeUInt8(roll.pick([0, 0, 0, 1, 255]), 0);
    prefix.writeUInt32BE(length >>> 0, 1);
    return Buffer.concat([prefix, body]);
  };
  const streams = Array.from({ length: 500 }, (_, index) => 2 * index + 1);
  const kinds: readonly (() => readonly Buffer[])[] = [
    () => streams.flatMap((stream) => [call(stream), frame(RESET, 0, stream, Buffer.of(0, 0, 0, 8))]),
    () => streams.map((stream) => call(stream)),
    () => [
      frame(HEADERS, 0, 1, headers("/x")),
      ...streams.map(() => frame(CONTINUATION, 0, 1, randomBytes(roll, 500))),
    ],
    () => streams.map(() => frame(SETTINGS, 0, 0, Buffer.alloc(6))),
    () => streams.map(() => frame(PING, 0, 0, Buffer.alloc(8))),
    () => [call(1), frame(DATA, 1, 1, message(randomBytes(roll, 10_000)))],
    () => [call(1), frame(DATA, 0, 1, message(randomBytes(roll, 100), 0xff_ff_ff_ff))],
    () => [call(1), frame(DATA, 0, 1, Buffer.of(0, 0))],
    () => [withLength(frame(roll.int(256), roll.int(256), roll.int(4), randomBytes(roll, 1_000)), roll.int(1 << 24))],
    () => [call(1).subarray(0, 20)],
  ];
  const frames = roll.pick(kinds)();
  return send(open(targets, targets.secureGrpc, ["h2"]), [PREFACE, frame(SETTINGS, 0, 0, Buffer.alloc(0)), ...frames]);
}

/** Reviews that are none, or whose objects are absurd. */
function review(targets: Targets, roll: Dice): Promise<number> {
  const deep = "[".repeat(roll.pick([10, 1_000, 200_000]));
  const nested = `${'{"spec":'.repeat(2_000)}1${"}".repeat(2_000)}`;
  const object = roll.pick([
    "null",
    "5",
    deep,
    nested,
    `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"x"},"spec":${nested}}`,
    `{"apiVersion":"security.istio.io/v1","kind":"AuthorizationPolicy","metadata":{"name":{}},"spec":{"rules":[${"null,".repeat(9_999)}null]}}`,
    '{"apiVersion":"networking.istio.io/v1","kind":"__proto__","metadata":{"__proto__":{"name":1}},"spec":[]}',
    `{"apiVersion":"networking.istio.io/v1","kind":"Gateway","metadata":{"name":"${"x".repeat(100_000)}"},"spec":{"servers":{}}}`,
    '{"apiVersion":"v1","kind":"Pod","metadata":{"labels":5},"spec":{"containers":"x"}}',
  ]);
  const body = `{"kind":"AdmissionReview","apiVersion":${roll.pick(['"admission.k8s.io/v1"', "{}", "null"])},"request":{"uid":"u","operation":"CREATE","userInfo":${roll.pick(["5", "{}", '{"groups":"x"}'])},"oldObject":${roll.pick(["null", "7", "{}"])},"object":${object}}}`;
  return new Promise((resolve) => {
    const path = roll.pick(["/validate", "/inject", "/inject/cluster/%25/net/a"]);
    const sent = httpsRequest({
      port: targets.https,
      host: hostOf(targets),
      method: "POST",
      path,
      rejectUnauthorized: false,
      agent: false,
    });
    const done = (): void => {
      sent.destroy();
      resolve(body.length);
    };
    sent.on("response", (answer) => answer.resume().on("end", done));
    sent.on("error", done);
    sent.setTimeout(PATIENCE_MS * 10, done);
    sent.end(body);
  });
}
