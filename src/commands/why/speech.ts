import { connect as connectTls } from "node:tls";
import type { Duplex } from "node:stream";
import { ClusterError } from "../../base/errors.ts";
import type { Cluster, PodPort } from "../../resources/cluster.ts";
import type { Speech } from "../../why/types.ts";

/** How long an application may take to say something by itself, and to answer. */
const FIRST_MS = 250;
const ANSWER_MS = 1_500;

/** The begin of every HTTP/2 connection, with empty settings. */
const HTTP2_PREFACE = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);
const HTTP1_QUESTION = "OPTIONS * HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/**
 * What an application speaks, by asking it at its pod's own loopback address over forwarded ports: whether it says something first,
 * answers HTTP/2, HTTP/1 (`OPTIONS *`) or a TLS handshake. undefined when nobody can forward there.
 */
export async function speechOf(cluster: Cluster, target: PodPort): Promise<Speech | undefined> {
  const first = await exchanged(cluster, target, "", FIRST_MS);
  if (first === "unknown") return undefined;
  if (first === "refused") return "refused";
  if (first.length > 0) return "first";
  const two = await exchanged(cluster, target, HTTP2_PREFACE, ANSWER_MS);
  // a settings frame: length, then type 4
  if (typeof two !== "string" && two.length >= 9 && two[3] === 4) return "http2";
  if (await answersTls(cluster, target)) return "tls";
  const one = await exchanged(cluster, target, HTTP1_QUESTION, ANSWER_MS);
  if (typeof one === "string" || one.length === 0) return typeof one === "string" ? "closed" : "silent";
  return one.toString("latin1", 0, 5) === "HTTP/" ? "http1" : "other";
}

/** Bytes that came back within the time, or until the other side ended. A stream that ends at once and says nothing is refused. */
async function exchanged(
  cluster: Cluster,
  target: PodPort,
  send: string | Buffer,
  timeoutMs: number,
): Promise<Buffer | "refused" | "unknown"> {
  const stream = await opened(cluster, target);
  if (typeof stream === "string") return stream;
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const done = (outcome: Buffer | "refused"): void => {
      clearTimeout(timer);
      stream.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => done(Buffer.concat(chunks)), timeoutMs);
    stream.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (chunks.length === 1) setImmediate(() => done(Buffer.concat(chunks)));
    });
    const ended = (): void => done(chunks.length > 0 ? Buffer.concat(chunks) : "refused");
    stream.on("error", ended);
    stream.on("end", ended);
    stream.on("close", ended);
    if (send !== "") stream.write(send);
  });
}

async function opened(cluster: Cluster, target: PodPort): Promise<Duplex | "refused" | "unknown"> {
  try {
    return await cluster.portForward(target);
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    return error.code === "refused" ? "refused" : "unknown";
  }
}

async function answersTls(cluster: Cluster, target: PodPort): Promise<boolean> {
  const stream = await opened(cluster, target);
  if (typeof stream === "string") return false;
  return new Promise((resolve) => {
    const done = (answer: boolean): void => {
      clearTimeout(timer);
      stream.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => done(false), ANSWER_MS);
    // who it is does not matter here: nothing is sent
    const socket = connectTls({ socket: stream, rejectUnauthorized: false, ALPNProtocols: ["h2", "http/1.1"] });
    socket.on("secureConnect", () => done(true));
    socket.on("error", () => done(false));
    stream.on("close", () => done(false));
  });
}
