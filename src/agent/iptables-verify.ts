import { spawn } from "node:child_process";
import { createServer, type Server } from "node:net";
import { EnvironmentError, errorText } from "../base/errors.ts";
import type { CaptureArgs, Family } from "./iptables-args.ts";

export interface VerifyOptions {
  readonly args: CaptureArgs;
  readonly family: Family;
  /** A port that nobody listens on. */
  readonly probePort: number;
  /** Milliseconds until capture counts as broken. */
  readonly timeout: number;
}

/** Where the proxy listens for redirected connections, and an address of this host that is not the one it listens on. */
const LOOPBACK: Readonly<Record<Family, { readonly listen: string; readonly dial: string }>> = {
  ipv4: { listen: "127.0.0.1", dial: "127.0.0.6" },
  ipv6: { listen: "::1", dial: "::6" },
};
const RETRY_MS = 200;

/**
 * Whether capture works here: a connection of the proxy's user to an address and port where nobody listens must arrive at the
 * proxy's port. For pods whose rules somebody else writes (a CNI plug-in): run before Envoy. Throws EnvironmentError when the
 * proxy's ports are taken.
 */
export async function verifyCapture({ args, family, probePort, timeout }: VerifyOptions): Promise<boolean> {
  const { listen, dial } = LOOPBACK[family];
  const seen = new Set<number>();
  let arrived: () => void = () => undefined;
  const servers = [args.proxyPort, args.inboundCapturePort].map((port) =>
    listening(listen, port, (from) => {
      seen.add(from);
      arrived();
    }),
  );
  const opened = await Promise.all(servers);
  const deadline = Date.now() + timeout;
  try {
    while (Date.now() < deadline) {
      const started = Date.now();
      const from = await dialAsProxy(args, { from: listen, to: dial, port: probePort });
      if (from !== undefined && seen.has(from)) return true;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, RETRY_MS - (Date.now() - started)));
        arrived = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      if (from !== undefined && seen.has(from)) return true;
    }
    return false;
  } finally {
    for (const server of opened) server.close();
  }
}

function listening(host: string, port: number, onArrival: (fromPort: number) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    onArrival(socket.remotePort ?? 0);
    socket.end();
  });
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(
        new EnvironmentError("agent-port", `cannot listen on ${host} port ${port}: ${errorText(cause)}`, {
          hint: "Verify capture before Envoy starts.",
          cause,
        }),
      );
    });
    server.listen({ host, port }, () => resolve(server));
  });
}

/**
 * The port that a connection was made from; undefined when there was no connection. Only the proxy's user is captured on
 * loopback: root takes its place for that, in a process of its own.
 */
function dialAsProxy(
  args: CaptureArgs,
  { from, to, port }: { readonly from: string; readonly to: string; readonly port: number },
): Promise<number | undefined> {
  const [uid, gid] = [args.proxyUids[0], args.proxyGids[0]].map(Number);
  const as =
    process.getuid?.() === 0 && Number.isInteger(uid) && Number.isInteger(gid) ? { uid: uid ?? 0, gid: gid ?? 0 } : {};
  const code = `const s=require("node:net").connect(${JSON.stringify({ host: to, port, localAddress: from })},()=>{process.stdout.write(String(s.localPort));s.end()});s.on("error",()=>process.exit(1));s.setTimeout(1000,()=>process.exit(1))`;
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["-e", code], { ...as, stdio: ["ignore", "pipe", "ignore"], cwd: "/" });
    let out = "";
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.on("error", () => resolve(undefined));
    child.on("close", () => resolve(out === "" ? undefined : Number(out)));
  });
}
