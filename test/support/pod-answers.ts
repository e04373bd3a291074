import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { Duplex } from "node:stream";

/** A server in place of pods' HTTP ports: fixed answers by path, texts as they are and data as JSON, 404 for others. Disposed of with `await using`. */
export interface PodAnswers extends AsyncDisposable {
  /** A connection, for the port-forward of a fake cluster. */
  readonly connect: () => Duplex;
}

/** Starts one. */
export async function answering(answers: Readonly<Record<string, unknown>>): Promise<PodAnswers> {
  const server = createServer((request, response) => {
    const answer = answers[request.url ?? ""];
    response.statusCode = answer === undefined ? 404 : 200;
    response.end(answer === undefined ? "no such path" : typeof answer === "string" ? answer : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    connect: () => connect(port, "127.0.0.1"),
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
