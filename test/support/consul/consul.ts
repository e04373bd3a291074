import { spawn } from "node:child_process";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { waitFor } from "../wait.ts";

/** An instance of a service. */
export interface Instance {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly tags?: readonly string[];
  readonly meta?: Readonly<Record<string, string>>;
}

/** A Consul, real or played. */
export interface TestConsul {
  readonly url: string;
  /** Registers an instance that is not healthy yet. */
  register(instance: Instance): Promise<void>;
  health(id: string, isWell: boolean): Promise<void>;
  deregister(id: string): Promise<void>;
  stop(): Promise<void>;
}

const run = promisify(execFile);

/** A real agent in development mode, built from its Go module when the cache does not have it. */
export async function startRealConsul(): Promise<TestConsul> {
  const { stdout } = await run(join(import.meta.dirname, "setup-consul.sh"), [], { maxBuffer: 1 << 24 });
  const program = stdout.trim().split("\n").at(-1) ?? "";
  const folder = mkdtempSync(join(tmpdir(), "consul-"));
  const [http = 0, grpc = 0, serf = 0, wan = 0, server = 0] = await freePorts(5);
  const ports = ["-http-port", http, "-grpc-port", grpc, "-serf-lan-port", serf, "-serf-wan-port", wan];
  const others = ["-server-port", server, "-dns-port", -1, "-bind", "127.0.0.1", "-node", "test", "-log-level", "warn"];
  const agent = spawn(program, ["agent", "-dev", ...[...ports, ...others].map(String)], { cwd: folder });
  let log = "";
  agent.stdout.on("data", (chunk: Buffer) => (log += chunk.toString()));
  agent.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const exited = once(agent, "exit");
  const url = `http://127.0.0.1:${http}`;
  const put = async (path: string, body?: unknown): Promise<void> => {
    const answer = await fetch(`${url}/v1/agent/${path}`, {
      method: "PUT",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  };
  const stop = async (): Promise<void> => {
    agent.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  const hasLeader = async (): Promise<boolean> => /\d/.test(await (await fetch(`${url}/v1/status/leader`)).text());
  await waitFor(hasLeader, { what: `Consul to have a leader: ${log}`, timeoutMs: 60_000 }).catch(
    async (error: unknown) => {
      await stop();
      throw error;
    },
  );
  return {
    url,
    register: ({ id, name, address, port, tags = [], meta = {} }) =>
      put("service/register", {
        ID: id,
        Name: name,
        Address: address,
        Port: port,
        Tags: tags,
        Meta: meta,
        Check: { CheckID: `check-${id}`, TTL: "10m", Status: "critical" },
      }),
    health: (id, isWell) => put(`check/${isWell ? "pass" : "fail"}/check-${id}`),
    deregister: (id) => put(`service/deregister/${id}`),
    stop,
  };
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  for (const server of servers) server.close();
  return ports;
}

/** Plays the two questions that the registry asks, with blocking queries; the slow tests hold the same to a real Consul. */
export async function startPlayedConsul(): Promise<TestConsul> {
  const instances = new Map<string, { readonly instance: Instance; isWell: boolean }>();
  const waiting = new Set<() => void>();
  let index = 1;
  const changed = (): void => {
    index += 1;
    for (const wake of waiting) wake();
  };
  const answer = (path: string): unknown => {
    const all = [...instances.values()];
    if (path === "/v1/catalog/services")
      return { consul: [], ...Object.fromEntries(all.map(({ instance }) => [instance.name, []])) };
    const name = decodeURIComponent(path.slice("/v1/health/service/".length));
    return all
      .filter(({ instance, isWell }) => instance.name === name && isWell)
      .map(({ instance: { address, port, tags = [], meta = {} } }) => ({
        Node: { Address: "127.0.0.1", Datacenter: "dc1" },
        Service: { Address: address, Port: port, Tags: tags, Meta: meta, Weights: { Passing: 1, Warning: 1 } },
      }));
  };
  const send = (path: string, response: ServerResponse): void => {
    response.setHeader("x-consul-index", String(index));
    response.end(JSON.stringify(answer(path)));
  };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://consul");
    if (Number(searchParams.get("index") ?? 0) < index) return send(pathname, response);
    const wake = (): void => {
      waiting.delete(wake);
      send(pathname, response);
    };
    waiting.add(wake);
    response.on("close", () => waiting.delete(wake));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async register(instance) {
      instances.set(instance.id, { instance, isWell: false });
      changed();
    },
    async health(id, isWell) {
      const known = instances.get(id);
      if (known !== undefined) known.isWell = isWell;
      changed();
    },
    async deregister(id) {
      instances.delete(id);
      changed();
    },
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
