import type { Proxy } from "../../../src/ir/proxy.ts";
import { trace } from "../../../src/commands/trace/trace.ts";
import type { Ending } from "../../../src/commands/trace/types.ts";
import type { ProxyView } from "../../../src/commands/trace/view.ts";
import type { Mesh } from "../../../src/compile/mesh.ts";
import { type Dice, dice } from "../simulate/dice.ts";
import {
  GATEWAY_PORT,
  NAMESPACE,
  NO_PORT,
  randomConnectionObjects,
  SERVICE_PORTS,
  SERVICES,
} from "../simulate/random-connections.ts";
import { ask } from "../traffic/ask.ts";
import type { CaseRequest, TrafficCase } from "../traffic/case.ts";
import type { Lab } from "../traffic/lab.ts";
import { targetOf } from "../traffic/run.ts";

// Random connections of bytes that are no HTTP, from the client's sidecar and through the gateway.

/** No request line: nobody takes it for HTTP. */
const BYTES = "hello\n";

interface Connection {
  readonly via: "sidecar" | "gateway";
  readonly host: string;
  readonly port: number;
}

/** Where connections are made, and what the walk reads. */
export interface Connecting {
  readonly lab: Lab;
  readonly item: TrafficCase;
  readonly client: Proxy;
  readonly gateway: Proxy;
  readonly views: (mesh: Mesh, proxy: Proxy) => ProxyView;
}

/** The services and rules of the connections. */
export function connectionCase(seed: number): TrafficCase {
  return {
    name: NAMESPACE,
    namespace: NAMESPACE,
    requests: SERVICE_PORTS.map((port) => ({ it: "", port, expect: {} })),
    objects: randomConnectionObjects(dice(seed)),
  };
}

/** Makes so many, some at a time, and walks each. */
export async function connectionAgreement(
  connecting: Connecting,
  { connections, seed }: { readonly connections: number; readonly seed: number },
): Promise<{ readonly differences: readonly string[]; readonly counts: ReadonlyMap<string, number> }> {
  const roll = dice(seed + 1);
  const differences: string[] = [];
  const counts = new Map<string, number>();
  const worker = async (): Promise<void> => {
    for (let done = 0; done < connections / WORKERS; done += 1) {
      const made = randomConnection(roll);
      const { ends, steps } = walked(connecting, made);
      const isPast = steps.some((step) => step.startsWith("cluster PassthroughCluster "));
      const meant = ends.map((end) => (isPast ? PAST : meaning(connecting, end)));
      for (const one of meant) {
        const kind = `tcp ${made.via}: ${one}`;
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
      }
      const seen = await happened(connecting, made);
      if (meant.includes(seen)) continue;
      const said = ends.map(({ text }) => text).join(" | ");
      differences.push(`${JSON.stringify(made)}\nsaid ${said}, got ${seen}\n${steps.join("\n")}`);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
  return { differences, counts };
}

const WORKERS = 20;

/** What comes of a connection to a Service's own address, past the listeners for it: no node of this lab leads it to a pod. */
const PAST = "closed";

function randomConnection(roll: Dice): Connection {
  const host = roll.pick(SERVICES);
  if (roll.chance(0.3)) return { via: "gateway", host, port: GATEWAY_PORT + SERVICES.indexOf(host) };
  return { via: "sidecar", host, port: roll.chance(0.05) ? NO_PORT : roll.pick([...SERVICE_PORTS, 90, 91]) };
}

function walked(
  { lab, client, gateway, views }: Connecting,
  { via, host, port }: Connection,
): { readonly ends: readonly Ending[]; readonly steps: readonly string[] } {
  const offline = { mesh: lab.plane.state.mesh, positionOf: () => undefined, notes: new Map<string, string>() };
  const url = new URL(`tcp://${host}.${NAMESPACE}.svc.cluster.local:${port}`);
  const asked = { url, method: "TCP", headers: [], now: 0 };
  const { ends, steps, branches } = trace(offline, via === "gateway" ? gateway : client, asked, views);
  const all = steps.concat(branches.flatMap((branch) => branch.steps));
  return {
    ends: branches.length === 0 ? [ends] : branches.map((branch) => branch.ends),
    steps: all.map(({ step, chosen, note }) => `${step} ${chosen} ${note ?? ""}`),
  };
}

/** Who answered the bytes; `400` for a proxy that takes them for HTTP; `closed` without any. */
async function happened({ lab, item }: Connecting, { via, host, port }: Connection): Promise<string> {
  const request: CaseRequest = { it: "", via, to: host, port, protocol: "tcp", send: BYTES, expect: {} };
  try {
    const { body } = await ask(targetOf(lab, item, request), request, {});
    return /^(?:hello from )?(\w+)[:\n]/.exec(body)?.[1] ?? /^HTTP\/1\.1 (\d+)/.exec(body)?.[1] ?? body;
  } catch (error) {
    // one that never comes is no answer of a proxy
    return String(error).includes("no byte within") ? String(error) : "closed";
  }
}

function meaning({ lab: { places } }: Connecting, { kind, text }: Ending): string {
  if (kind !== "delivered") return /\b(\d{3})\b/.exec(text)?.[1] ?? "closed";
  const server = /^delivered to ([\w.]+?)(?::\d+, which has no proxy|\.\w+)$/.exec(text)?.[1] ?? text;
  return Object.entries(places).find(([, prefix]) => `${prefix}.0.1` === server)?.[0] ?? server;
}

/** Kinds of endings that random connections meet among requests, each often enough to mean something. */
export const AMONG_MET: readonly string[] = [
  "tcp sidecar: v1",
  "tcp sidecar: v2",
  "tcp sidecar: v3",
  "tcp sidecar: 400",
  "tcp sidecar: closed",
  "tcp gateway: closed",
];

/** The same without policies for requests. */
export const ALONE_MET: readonly string[] = [
  ...AMONG_MET,
  "tcp sidecar: guard",
  "tcp gateway: v1",
  "tcp gateway: v2",
  "tcp gateway: v3",
];
