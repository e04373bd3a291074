import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { answerPage } from "../../../src/controlplane/page.ts";
import type { MadeMesh } from "./made-mesh.ts";

/** The page at an address of this machine, over data that can be exchanged while it is open. */
export interface ServedPage {
  readonly url: string;
  /** What it answers from now on; undefined: nothing, connections end. */
  readonly show: (mesh: MadeMesh | undefined) => void;
  readonly close: () => Promise<void>;
}

/** Which member of the data a path answers. */
const PATHS: Readonly<Record<string, keyof MadeMesh>> = {
  "/debug/syncz": "proxies",
  "/debug/analysis": "findings",
  "/debug/authority": "authority",
  "/debug/about": "about",
  "/debug/scopez": "scopes",
  "/debug/registryz": "services",
  "/ui/observed": "observed",
  "/ui/lost": "lost",
};

/** Serves the page as the control plane does, and what it asks from this data. */
export async function servePage(first: MadeMesh): Promise<ServedPage> {
  let mesh: MadeMesh | undefined = first;
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const member = PATHS[pathname];
    if (mesh === undefined) return void request.socket.destroy();
    if (pathname === "/debug/config_dump") return void response.end(JSON.stringify({ configs: [] }));
    if (member !== undefined) return void response.end(JSON.stringify(mesh[member]));
    void answerPage(pathname).then(({ status, body, contentType = "text/plain", headers }) => {
      response.writeHead(status, { "content-type": contentType, ...headers }).end(body);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ui/`,
    show: (next) => {
      mesh = next;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
