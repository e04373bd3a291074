import { request as httpRequest } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";

/** Where a request goes, and which host it asks for. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly authority: string;
}

/** What the echo application answers. */
export interface Echoed {
  readonly protocol: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The address that the application saw. */
  readonly client: string;
}

/** One HTTP/1 request over a connection of its own. The body is only there for status 200. */
export function http1({ host, port, authority }: Target, path: string): Promise<{ status: number; body: Echoed }> {
  return new Promise((resolve, reject) => {
    const headers = { host: authority };
    const request = httpRequest({ host, port, path, agent: false, headers }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on("end", () => {
        const status = response.statusCode ?? 0;
        resolve({ status, body: (status === 200 ? JSON.parse(text) : {}) as Echoed });
      });
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end();
  });
}

/** One HTTP/2 request with prior knowledge. Rejects with the text of an answer that is not the application's. */
export function http2({ host, port, authority }: Target, path: string): Promise<Echoed> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`http://${host}:${port}`);
    session.on("error", reject);
    const stream = session.request({ ":path": path, ":authority": authority });
    let text = "";
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    stream.on("error", reject);
    stream.on("end", () => {
      session.close();
      try {
        resolve(JSON.parse(text) as Echoed);
      } catch {
        reject(new Error(`no JSON: ${text}`));
      }
    });
    stream.end();
  });
}

/** Sends text and resolves with what came back until the connection closed; without text it only connects. */
export function echo({ host, port }: Target, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket: Socket = connect(port, host, () => {
      if (text === "") socket.end();
      else socket.write(text);
    });
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString();
      if (answer.length >= text.length) socket.end();
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}
