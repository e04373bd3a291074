import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below the ports that the kernel gives to clients (32768 on): no connection of another test takes one before its server listens. */
const FIRST = 22_000;
const LAST = 32_000;
/** How many lanes there are: test files that run at once take ports and addresses of different ones, so that none is taken between look and use. */
const LANES = 8;

/** This test file's lane, from 0; a file that runs at the same time has another one (as in test/support/kube/common.sh). */
export function lane(): number {
  return Number(process.env["VITEST_POOL_ID"] ?? 0) % LANES;
}

/** Different ports of 127.0.0.1 that nobody uses now. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = FIRST + lane() + LANES * randomInt((LAST - FIRST) / LANES);
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
