import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { sha256, wasmModule } from "../wasm/module.ts";

/** A server of modules for extensions. */
export interface Modules {
  /** `http://127.0.0.1:PORT`; the module is at `/module.wasm`, nothing else is there. */
  readonly url: string;
  /** Of the module. */
  readonly sha256: string;
  close(): void;
}

export async function startModules(): Promise<Modules> {
  const module = await wasmModule();
  const server = createServer((request, response) => {
    if (request.url === "/module.wasm") response.end(module);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, sha256: sha256(module), close: () => server.close() };
}
