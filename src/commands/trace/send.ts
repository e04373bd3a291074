import { request as httpRequest } from "node:http";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { errorText } from "../../base/errors.ts";
import type { Asked } from "./types.ts";

const ANSWER_MS = 30_000;
/** How long a server may be silent before that is taken for its answer: a protocol of bytes need not answer. */
const SILENT_MS = 3_000;

/** What came of what was sent. */
export interface Answered {
  readonly status?: number;
  /** Of bytes: how many came back before the connection ended, or before nothing more did. */
  readonly bytes?: number;
  /** Of bytes: the other side ended the connection. */
  readonly closed?: boolean;
  readonly error?: string;
}

/** Sends the request, or the first bytes, over a connection, and waits for what comes back. */
export function exchange(stream: Duplex, asked: Asked, id: string): Promise<Answered> {
  if (asked.url.protocol === "tcp:") return bytes(stream, asked.data ?? "\r\n");
  const isTls = asked.url.protocol === "https:";
  const { hostname } = asked.url;
  return request(
    isTls ? connectTls({ socket: stream, servername: hostname, rejectUnauthorized: false }) : stream,
    asked,
    id,
  );
}

function request(socket: Duplex, { url, method, headers }: Asked, id: string): Promise<Answered> {
  return new Promise((resolve) => {
    const given = Object.fromEntries(headers);
    const sent = httpRequest(
      {
        method,
        path: `${url.pathname}${url.search}`,
        createConnection: () => socket as never,
        headers: {
          host: url.host,
          "user-agent": `meshctl-trace/${id}`,
          ...given,
          "x-request-id": id,
          connection: "close",
        },
      },
      (response) => {
        response.resume();
        response.on("error", () => undefined);
        response.on("end", () => resolve({ status: response.statusCode ?? 0 }));
      },
    );
    // a forwarded connection is no socket: it has no timer of its own
    const timer = setTimeout(() => sent.destroy(new Error(`no answer in ${ANSWER_MS / 1_000} s`)), ANSWER_MS);
    sent.on("close", () => clearTimeout(timer));
    sent.on("error", (error) => resolve({ error: errorText(error) }));
    sent.end();
  });
}

function bytes(stream: Duplex, data: string): Promise<Answered> {
  return new Promise((resolve) => {
    let came = 0;
    const timer = setTimeout(() => done({ bytes: came, closed: false }), SILENT_MS);
    const limit = setTimeout(() => done({ bytes: came, closed: false }), ANSWER_MS);
    const done = (answered: Answered): void => {
      clearTimeout(timer);
      clearTimeout(limit);
      resolve(answered);
    };
    stream.on("data", (chunk: Buffer) => {
      came += chunk.length;
      timer.refresh();
    });
    stream.on("end", () => done({ bytes: came, closed: true }));
    stream.on("close", () => done({ bytes: came, closed: true }));
    stream.on("error", (error) => done({ bytes: came, closed: true, error: errorText(error) }));
    stream.write(data);
  });
}
