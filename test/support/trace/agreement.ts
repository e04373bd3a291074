import { expect } from "vitest";
import { proxiesOf } from "../../../src/commands/offline/proxies.ts";
import { trace } from "../../../src/commands/trace/trace.ts";
import type { Branch, Ending } from "../../../src/commands/trace/types.ts";
import { type ProxyView, viewOf } from "../../../src/commands/trace/view.ts";
import type { Mesh } from "../../../src/compile/mesh.ts";
import type { Proxy } from "../../../src/ir/proxy.ts";
import type { SimulatedToken } from "../../../src/simulate/jwt.ts";
import { type Dice, dice } from "../simulate/dice.ts";
import {
  gatewayHost,
  HOSTS,
  METHODS,
  NAMESPACE,
  OWN_HEADERS,
  PATHS,
  REMOTES,
  randomObjects,
  randomToken,
  SECURE_PORT,
  UNGUARDED,
  VALUES,
} from "../simulate/random-security.ts";
import { ask } from "../traffic/ask.ts";
import type { CaseRequest, TrafficCase } from "../traffic/case.ts";
import { type Lab, startLab } from "../traffic/lab.ts";
import { WORKLOADS } from "../traffic/mesh-objects.ts";
import { secured, targetOf } from "../traffic/run.ts";
import { ALONE_MET, AMONG_MET, connectionAgreement, connectionCase } from "./connections.ts";

// Random requests through real Envoys on both sides, and what trace-route says of each from the objects alone.

/** A Service's port behind which the application itself speaks TLS. */
const PASSED_PORT = 93;

/** How a request gets in: HTTP of the client's sidecar, HTTP and HTTPS at a gateway, TLS that the sidecar passes on unopened. */
type Via = "sidecar" | "gateway" | "gateway by TLS" | "sidecar by TLS";

interface Asked {
  readonly via: Via;
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly token: SimulatedToken | undefined;
}

/** What came of many requests. */
interface Agreement {
  /** Requests that went another way than trace-route says, in words. */
  readonly differences: readonly string[];
  /** Endings by kind: `gateway: refused by guard 403`. */
  readonly counts: ReadonlyMap<string, number>;
  /** What proxies refused to run. */
  readonly problems: readonly string[];
}

/** How much is sent. */
interface Amounts {
  readonly requests: number;
  /** Connections of bytes that are no HTTP. */
  readonly connections: number;
}

/** Sends so many random requests, some at a time, and walks each; then makes random connections. */
async function agreement({ requests, connections }: Amounts, seed: number): Promise<Agreement> {
  const roll = dice(seed);
  const item: TrafficCase = {
    name: NAMESPACE,
    namespace: NAMESPACE,
    // for their ports
    requests: [80, PASSED_PORT].map((port) => ({ it: "", port, expect: {} })),
    objects: randomObjects(roll),
    certificates: { web: { names: [`*.${NAMESPACE}.example.com`] } },
  };
  const streams = connectionCase(seed);
  // where no requests are sent their policies are not there either: none of them lets bytes through a gateway
  const lab = await startLab(requests === 0 ? [streams] : [item, streams]);
  try {
    const asking: Asking = { lab, item, roll, now: Math.floor(Date.now() / 1_000), views: new Map() };
    const differences: string[] = [];
    const counts = new Map<string, number>();
    const worker = async (): Promise<void> => {
      for (let done = 0; done < requests / WORKERS; done += 1) {
        const asked = randomAsked(asking);
        const { ends, steps } = walked(asking, asked);
        for (const end of ends) counts.set(kindOf(asked.via, end), (counts.get(kindOf(asked.via, end)) ?? 0) + 1);
        const seen = await happened(asking, asked);
        if (ends.map(meaning).includes(seen)) continue;
        const said = ends.map(({ text }) => text).join(" | ");
        differences.push(`${JSON.stringify(asked)}\nsaid ${said}, got ${seen}\n${steps.join("\n")}`);
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, worker));
    const connecting = { lab, item: streams, ...proxiesIn(lab), views: keptViews(asking) };
    const made = await connectionAgreement(connecting, { connections, seed });
    differences.push(...made.differences);
    for (const [kind, times] of made.counts) counts.set(kind, times);
    return { differences, counts, problems: lab.plane.problems };
  } finally {
    await lab.stop();
  }
}

const WORKERS = 20;
const VIAS: readonly Via[] = [
  "sidecar",
  "sidecar",
  "sidecar",
  "gateway",
  "gateway",
  "gateway",
  "gateway by TLS",
  "sidecar by TLS",
];

interface Asking {
  readonly lab: Lab;
  readonly item: TrafficCase;
  readonly roll: Dice;
  /** Seconds. */
  readonly now: number;
  /** Nothing changes in this mesh: what a proxy holds is read once. */
  readonly views: Map<string, ProxyView>;
}

function randomAsked({ roll, lab, now }: Asking): Asked {
  const headers = Object.fromEntries(
    OWN_HEADERS.filter(() => roll.chance(0.6)).map((name) => [name, roll.pick(VALUES)] as const),
  );
  const via = roll.pick(VIAS);
  return {
    via,
    // rules for HTTP alone let no bytes through to the guard
    host: via === "sidecar by TLS" && roll.chance(0.5) ? UNGUARDED : roll.pick(HOSTS),
    method: roll.pick(METHODS),
    path: roll.pick(PATHS),
    headers: { ...headers, ...(roll.chance(0.4) ? { "x-forwarded-for": roll.pick(REMOTES) } : {}) },
    token: randomToken(roll, lab.issuers.main.url, now),
  };
}

const isGateway = ({ via }: Asked): boolean => via.startsWith("gateway");
const isTls = ({ via }: Asked): boolean => via.endsWith("TLS");

/** What came back: a status, and who answered where an application did; `closed` for a connection without an answer. */
async function happened({ lab, item }: Asking, asked: Asked): Promise<string> {
  const { host, method, path, headers } = asked;
  const authorization = await authorizationOf(lab, asked);
  const port = isGateway(asked) ? SECURE_PORT : PASSED_PORT;
  const request: CaseRequest = {
    it: "",
    via: isGateway(asked) ? "gateway" : "sidecar",
    to: isGateway(asked) ? gatewayHost(host) : host,
    ...(isTls(asked) ? { port, secure: true } : {}),
    method,
    path,
    expect: {},
  };
  const target = secured(lab, item, request, targetOf(lab, item, request));
  try {
    const { status, body } = await ask(target, request, { ...headers, ...authorization });
    const who = /"who":"(\w+)"/.exec(body)?.[1];
    return status === 200 && who !== undefined ? `200 by ${who}` : String(status);
  } catch (error) {
    // one that never comes is no answer of a proxy
    if (String(error).includes("no answer within")) return String(error);
    return "closed";
  }
}

/** The header of its token, where it has one. */
async function authorizationOf(lab: Lab, { token }: Asked): Promise<{ readonly authorization?: string }> {
  if (token === undefined) return {};
  const signed = await lab.issuers.main.token(token.claims);
  // the last character holds bits that nobody reads: the first of the signature is changed
  const broken = signed.replace(
    /\.([^.])([^.]*)$/,
    (_, first: string, rest: string) => `.${first === "A" ? "B" : "A"}${rest}`,
  );
  return { authorization: `Bearer ${token.signed ? signed : broken}` };
}

function walked(asking: Asking, asked: Asked): { readonly ends: readonly Ending[]; readonly steps: readonly string[] } {
  const { lab, now } = asking;
  const { host, method, path, headers, token } = asked;
  const { mesh } = lab.plane.state;
  const { client, gateway } = proxiesIn(lab);
  const name = isGateway(asked) ? gatewayHost(host) : `${host}.${NAMESPACE}.svc.cluster.local`;
  const place = !isTls(asked) ? `http://${name}` : `https://${name}${isGateway(asked) ? "" : `:${PASSED_PORT}`}`;
  const request = {
    url: new URL(`${place}${path}`),
    method,
    headers: Object.entries(headers),
    now,
    ...(token === undefined ? {} : { token }),
  };
  const offline = { mesh, positionOf: () => undefined, notes: new Map() };
  const said = trace(offline, isGateway(asked) ? gateway : client, request, keptViews(asking));
  const all = said.steps.concat(said.branches.flatMap(({ steps }) => steps));
  return {
    ends: said.branches.length === 0 ? [said.ends] : said.branches.map((branch: Branch) => branch.ends),
    steps: all.map(({ step, chosen, note }) => `${step} ${chosen} ${note ?? ""}`),
  };
}

function proxiesIn({ plane, places }: Lab): { readonly client: Proxy; readonly gateway: Proxy } {
  const client = proxiesOf(plane.state.mesh.model).find(({ name }) => name === "client");
  if (client === undefined) throw new Error("no client");
  // the lab's pod of the gateway does not say that it has a proxy
  const gateway = {
    ...client,
    type: "router" as const,
    name: "gateway",
    labels: WORKLOADS.gateway.labels,
    addresses: [`${places.gateway}.0.1`],
    serviceAccount: "gateway",
  };
  return { client, gateway };
}

function keptViews({ views }: Asking): (mesh: Mesh, proxy: Proxy) => ProxyView {
  return (mesh, proxy) => {
    const view = views.get(proxy.name) ?? viewOf(mesh, proxy);
    views.set(proxy.name, view);
    return view;
  };
}

/** What an ending means to the client: a status and, where an application answered, which; `closed` without any. */
function meaning({ kind, text }: Ending): string {
  if (kind === "delivered") return `200 by ${/to (\w+)\./.exec(text)?.[1] ?? "?"}`;
  return /\b(\d{3})\b/.exec(text)?.[1] ?? "closed";
}

function kindOf(via: Via, { kind, text }: Ending): string {
  const by = /by (\w+)\./.exec(text)?.[1];
  return `${via}: ${kind === "failed" ? `refused by ${by ?? "nobody"} ${meaning({ kind, text })}` : kind}`;
}

/** The test itself: nothing goes another way, nothing was refused by a proxy, and every kind of ending was met. */
export async function expectAgreement(amounts: Amounts): Promise<void> {
  const seed = Number(process.env["SIMULATE_SEED"] ?? 20_261_121);
  const { differences, counts, problems } = await agreement(amounts, seed);
  const told = [...counts].map(([kind, times]) => `${kind} ${times}`).toSorted();
  process.stdout.write(`${told.join("; ")}\n`);
  const first = differences.slice(0, 3).join("\n\n");
  expect(differences.length === 0 ? "" : `${differences.length} of ${JSON.stringify(amounts)}: ${first}`).toBe("");
  expect(problems).toEqual([]);
  const kinds = amounts.requests === 0 ? ALONE_MET : [...MET, ...AMONG_MET];
  for (const kind of kinds) expect(counts.get(kind) ?? 0, kind).toBeGreaterThan(5);
}

/** Kinds of endings that random requests meet, each often enough to mean something. */
const MET: readonly string[] = [
  "sidecar: delivered",
  "sidecar: answered",
  "sidecar: refused by guard 401",
  "sidecar: refused by guard 403",
  "gateway: delivered",
  "gateway: answered",
  "gateway: refused by gateway 401",
  "gateway: refused by gateway 403",
  "gateway: refused by guard 403",
  "gateway by TLS: delivered",
  "gateway by TLS: refused by gateway 403",
  "gateway by TLS: refused by nobody closed",
  "sidecar by TLS: delivered",
  "sidecar by TLS: refused by guard closed",
];
