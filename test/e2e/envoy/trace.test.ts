import { afterAll, beforeAll, expect, test } from "vitest";
import { proxiesOf } from "../../../src/commands/offline/proxies.ts";
import { trace } from "../../../src/commands/trace/trace.ts";
import type { Branch, Ending } from "../../../src/commands/trace/types.ts";
import { type ProxyView, viewOf } from "../../../src/commands/trace/view.ts";
import type { Mesh } from "../../../src/compile/mesh.ts";
import type { Proxy } from "../../../src/ir/proxy.ts";
import type { SimulatedToken } from "../../../src/simulate/jwt.ts";
import { dice } from "../../support/simulate/dice.ts";
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
  VALUES,
} from "../../support/simulate/random-security.ts";
import { type Answer, ask } from "../../support/traffic/ask.ts";
import type { TrafficCase } from "../../support/traffic/case.ts";
import { type Lab, startLab } from "../../support/traffic/lab.ts";
import { WORKLOADS } from "../../support/traffic/mesh-objects.ts";
import { targetOf } from "../../support/traffic/run.ts";

// 2,000 random requests of a sidecar's client and of a gateway's, through real Envoys on both sides: routes, tokens and policies. What
// trace-route says of each, from the objects alone, is what happens.
const REQUESTS = 2_000;
const SEED = Number(process.env["SIMULATE_SEED"] ?? 20_261_121);

const roll = dice(SEED);
const item: TrafficCase = { name: NAMESPACE, namespace: NAMESPACE, requests: [], objects: randomObjects(roll) };
let lab: Lab;
beforeAll(async () => {
  lab = await startLab([item]);
});
afterAll(() => lab?.stop());

interface Asked {
  readonly via: "sidecar" | "gateway";
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly token: SimulatedToken | undefined;
}

function randomAsked(now: number): Asked {
  const headers = Object.fromEntries(
    OWN_HEADERS.filter(() => roll.chance(0.6)).map((name) => [name, roll.pick(VALUES)] as const),
  );
  return {
    via: roll.chance(0.5) ? "gateway" : "sidecar",
    host: roll.pick(HOSTS),
    method: roll.pick(METHODS),
    path: roll.pick(PATHS),
    headers: { ...headers, ...(roll.chance(0.4) ? { "x-forwarded-for": roll.pick(REMOTES) } : {}) },
    token: randomToken(roll, lab.issuers.main.url, now),
  };
}

async function answerTo({ via, host, method, path, headers, token }: Asked): Promise<Answer> {
  const signed = token === undefined ? undefined : await lab.issuers.main.token(token.claims);
  // the last character holds bits that nobody reads: the first of the signature is changed
  const broken = signed?.replace(
    /\.([^.])([^.]*)$/,
    (_, first: string, rest: string) => `.${first === "A" ? "B" : "A"}${rest}`,
  );
  const authorization =
    signed === undefined ? {} : { authorization: `Bearer ${token?.signed === true ? signed : broken}` };
  const to = via === "gateway" ? gatewayHost(host) : host;
  const request = { it: "", via, to, method, path, headers: { ...headers, ...authorization }, expect: {} };
  return ask(targetOf(lab, item, request), request, request.headers);
}

function traceOf({ via, host, method, path, headers, token }: Asked, now: number) {
  const { mesh } = lab.plane.state;
  const client = proxiesOf(mesh.model).find(({ name }) => name === "client")!;
  // the lab's pod of the gateway does not say that it has a proxy
  const gateway = {
    ...client,
    type: "router" as const,
    name: "gateway",
    labels: WORKLOADS.gateway.labels,
    addresses: [`${lab.places.gateway}.0.1`],
    serviceAccount: "gateway",
  };
  const from = via === "gateway" ? gateway : client;
  const url = via === "gateway" ? gatewayHost(host) : `${host}.${NAMESPACE}.svc.cluster.local`;
  const asked = {
    url: new URL(`http://${url}${path}`),
    method,
    headers: Object.entries(headers),
    now,
    ...(token === undefined ? {} : { token }),
  };
  return trace({ mesh, positionOf: () => undefined, notes: new Map() }, from, asked, keptView);
}

const views = new Map<string, ProxyView>();

/** Nothing changes in this mesh: what a proxy holds is read once. */
function keptView(mesh: Mesh, proxy: Proxy): ProxyView {
  const view = views.get(proxy.name) ?? viewOf(mesh, proxy);
  views.set(proxy.name, view);
  return view;
}

/** What an ending means to the client: a status and, where an application answered, which. */
function meaning({ kind, text }: Ending): string {
  if (kind === "delivered") return `200 by ${/to (\w+)\./.exec(text)?.[1] ?? "?"}`;
  return /\b(\d{3})\b/.exec(text)?.[1] ?? text;
}

function kindOf(via: string, { kind, text }: Ending): string {
  const by = /by (\w+)\./.exec(text)?.[1];
  return `${via}: ${kind === "failed" ? `refused by ${by ?? "nobody"} ${meaning({ kind, text })}` : kind}`;
}

test("what trace-route says is what happens", { timeout: 240_000 }, async () => {
  const differences: string[] = [];
  const counts = new Map<string, number>();
  const now = Math.floor(Date.now() / 1_000);
  const one = async (): Promise<void> => {
    const asked = randomAsked(now);
    const said = traceOf(asked, now);
    const ends = said.branches.length === 0 ? [said.ends] : said.branches.map((branch: Branch) => branch.ends);
    for (const end of ends) counts.set(kindOf(asked.via, end), (counts.get(kindOf(asked.via, end)) ?? 0) + 1);
    const { status, body } = await answerTo(asked);
    const who = /"who":"(\w+)"/.exec(body)?.[1];
    const seen = status === 200 && who !== undefined ? `200 by ${who}` : String(status);
    if (!ends.map(meaning).includes(seen))
      differences.push(
        `${JSON.stringify(asked)}\nsaid ${ends.map(({ text }) => text).join(" | ")}, got ${seen} ${body.slice(0, 200)}\n${said.steps
          .concat(said.branches.flatMap(({ steps }) => steps))
          .map(({ step, chosen, note }) => `${step} ${chosen} ${note ?? ""}`)
          .join("\n")}`,
      );
  };
  const worker = async (): Promise<void> => {
    for (let done = 0; done < REQUESTS / 20; done += 1) await one();
  };
  await Promise.all(Array.from({ length: 20 }, worker));
  process.stdout.write(
    `${[...counts]
      .map(([kind, times]) => `${kind} ${times}`)
      .toSorted()
      .join("; ")}\n`,
  );
  expect(
    differences.length === 0 ? "" : `${differences.length} of ${REQUESTS}: ${differences.slice(0, 3).join("\n\n")}`,
  ).toBe("");
  expect(lab.plane.problems).toEqual([]);
  const met = [
    "sidecar: delivered",
    "sidecar: answered",
    "sidecar: refused by guard 401",
    "sidecar: refused by guard 403",
    "gateway: delivered",
    "gateway: answered",
    "gateway: refused by gateway 401",
    "gateway: refused by gateway 403",
    "gateway: refused by guard 403",
  ];
  for (const kind of met) expect(counts.get(kind) ?? 0, kind).toBeGreaterThan(5);
});
