import { type Server, createServer } from "node:net";

/** Opens a TCP port (0: a free one) and gives its listening server. Rejects with the bind error, such as EADDRINUSE. */
export type Listen = (host: string, port: number) => Promise<Server>;

/** In this process's network namespace; the server accepts nothing before someone listens for its connections. */
export const listenHere: Listen = (host, port) => {
  const server = createServer({ allowHalfOpen: true });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve(server);
    });
  });
};
