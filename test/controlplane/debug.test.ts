import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import type { Caller } from "../../src/controlplane/caller.ts";
import { answerMonitoring } from "../../src/controlplane/debug.ts";
import { createMetrics } from "../../src/controlplane/metrics.ts";
import { createSubscription } from "../../src/controlplane/subscription.ts";
import type { ProxyStatus } from "../../src/controlplane/xds-status.ts";
import type { XdsStream } from "../../src/controlplane/xds-stream.ts";
import { encodeMessage } from "../../src/wire/codec.ts";
import type { XdsKind } from "../../src/xds/types.ts";

const SYNCED = { status: "SYNCED", sentHash: "a", ackedHash: "a", currentHash: "a", ackedAt: "" } as const;

/** A stream that asked for these types. */
function stream(proxy: string, connectedAt: number, kinds: readonly XdsKind[]): XdsStream {
  const types = Object.fromEntries(kinds.map((kind) => [kind, SYNCED]));
  return {
    proxy,
    connectedAt,
    claim: { namespace: proxy.split(".")[1] },
    status: () => ({ proxy, types }) as unknown as ProxyStatus,
    subscription: (kind: XdsKind) => (kinds.includes(kind) ? createSubscription(kind) : undefined),
  } as unknown as XdsStream;
}

function deps(...streams: readonly XdsStream[]): Parameters<typeof answerMonitoring>[0] {
  return {
    metrics: createMetrics({ world: { list: () => [] } }),
    streams: new Set(streams),
    authenticate: ({ bearer }) => Promise.resolve(bearer === undefined ? undefined : callerOf(bearer)),
    debugNamespaces: ["istio-system", "ops"],
    analyse: () => Promise.resolve(new Uint8Array()),
    more: {},
  };
}

/** A token is the namespace that it proves. */
function callerOf(namespace: string): Caller {
  return { identity: { trustDomain: "cluster.local", namespace, serviceAccount: "any" } } as unknown as Caller;
}

async function asked(
  path: string,
  from: { readonly address: string; readonly token?: string },
  ...streams: readonly XdsStream[]
) {
  const { address: remoteAddress, token } = from;
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const request = { method: "GET", headers, socket: { remoteAddress } } as unknown as IncomingMessage;
  const { status, body } = await answerMonitoring(deps(...streams), request, new URL(path, "http://localhost"));
  return { status, body: String(body) };
}

async function listed(...streams: readonly XdsStream[]): Promise<readonly (readonly [string, readonly string[]])[]> {
  const { body } = await asked("/debug/syncz", { address: "127.0.0.1" }, ...streams);
  const proxies = JSON.parse(body) as readonly ProxyStatus[];
  return proxies.map(({ proxy, types }) => [proxy, Object.keys(types)] as const);
}

const envoy = stream("web-1.shop", 1, ["cluster", "listener"]);
const agent = stream("web-1.shop", 2, ["nametable"]);

test("an agent's stream of names is part of its Envoy's line, whichever came first", async () => {
  for (const streams of [
    [envoy, agent],
    [agent, envoy],
  ])
    expect(await listed(...streams)).toEqual([["web-1.shop", ["cluster", "listener", "nametable"]]]);
});

test("of two streams of one Envoy the newer speaks; an agent alone is listed as well", async () => {
  const newer = stream("web-1.shop", 3, ["cluster"]);
  expect(await listed(newer, envoy)).toEqual([["web-1.shop", ["cluster"]]]);
  expect(await listed(agent)).toEqual([["web-1.shop", ["nametable"]]]);
});

test("ndsz: what an agent answers DNS queries from, for the pod itself and for its namespace", async () => {
  const table = { table: { "db.shop.internal": { ips: ["240.240.0.1"], registry: "External" } } };
  const bytes = encodeMessage("istio.networking.nds.v1.NameTable", table);
  const names = new Map([["nametable", { name: "nametable", version: "1", bytes }]]);
  const captured = { ...agent, snapshot: () => ({ nametable: names }) } as unknown as XdsStream;
  const plain = {
    ...stream("api-1.shop", 1, ["cluster"]),
    snapshot: () => ({ nametable: new Map() }),
  } as unknown as XdsStream;
  const path = "/debug/ndsz?proxyID=web-1.shop";
  const local = await asked(path, { address: "127.0.0.1" }, captured, plain);
  expect([local.status, JSON.parse(local.body)]).toEqual([200, table]);
  expect((await asked(path, { address: "10.1.1.1" }, captured)).status).toBe(401);
  expect((await asked(path, { address: "10.1.1.1", token: "shop" }, captured)).status).toBe(200);
  expect((await asked(path, { address: "10.1.1.1", token: "bank" }, captured)).status).toBe(404);
  expect((await asked("/debug/syncz", { address: "10.1.1.1", token: "shop" }, captured)).status).toBe(403);
  expect(await asked("/debug/ndsz?proxyID=api-1", { address: "127.0.0.1" }, captured, plain)).toEqual({
    status: 404,
    body: "no DNS queries of the proxy are captured\n",
  });
});

test("syncz has what was sent and acknowledged also under Istio's names: readers compare the two", async () => {
  const behind = { ...SYNCED, status: "STALE", ackedHash: "" } as const;
  const late = {
    ...envoy,
    status: () => ({
      proxy: "web-1.shop",
      types: { cluster: SYNCED, route: behind, extension: SYNCED, secret: SYNCED },
    }),
  } as unknown as XdsStream;
  const { body } = await asked("/debug/syncz", { address: "127.0.0.1" }, late);
  const [{ types: _, proxy: __, ...told }] = JSON.parse(body) as [Record<string, unknown>];
  expect(told).toEqual({
    cluster_sent: "a",
    cluster_acked: "a",
    route_sent: "a",
    route_acked: "",
    extensionconfig_sent: "a",
    extensionconfig_acked: "a",
  });
});

test("the page: for the pod's own loopback by its own name and for accounts that may see everything, with nothing from elsewhere", async () => {
  expect((await asked("/ui/", { address: "10.0.0.9" })).status).toBe(401);
  expect((await asked("/ui/page.js", { address: "10.0.0.9", token: "shop" })).status).toBe(403);
  expect((await asked("/ui/", { address: "10.0.0.9", token: "ops" })).status).toBe(200);
  const socket = { remoteAddress: "127.0.0.1" };
  const request = (host: string): IncomingMessage =>
    ({ method: "GET", headers: { host }, socket }) as unknown as IncomingMessage;
  const get = (path: string, host = "localhost:15014") =>
    answerMonitoring(deps(), request(host), new URL(path, "http://localhost"));
  expect((await get("/ui/", "rebound.example:15014")).status).toBe(401);
  const page = await get("/ui/");
  expect(page.contentType).toBe("text/html; charset=utf-8");
  expect(page.headers?.["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self';/);
  expect(page.headers?.["content-security-policy"]).not.toMatch(/unsafe|https?:|\*/);
  expect(String(page.body)).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|https?:/);
  for (const [, file = ""] of String(page.body).matchAll(/(?:src|href)="(page\.\w+)"/g))
    expect((await get(`/ui/${file}`)).status, file).toBe(200);
  expect((await get("/ui")).headers?.["location"]).toBe("/ui/");
  for (const path of ["/ui/constructor", "/ui/../meshd.js", "/ui/none"]) expect((await get(path)).status).toBe(404);
});

test("further questions are for those who may see all; a change comes by POST, and not from a page", async () => {
  let level = "info";
  const more = {
    scopez: {
      answer: () => ({ status: 200, body: level }),
      change: (url: URL) => {
        level = url.searchParams.get("level") ?? "";
        return { status: 200, body: "changed" };
      },
    },
    clusterz: { answer: () => ({ status: 200, body: "[]" }) },
  };
  const ask = async (
    method: string,
    path: string,
    headers: object = {},
    remoteAddress = "127.0.0.1",
  ): Promise<number> => {
    const request = { method, headers, socket: { remoteAddress } } as unknown as IncomingMessage;
    return (await answerMonitoring({ ...deps(), more }, request, new URL(path, "http://localhost"))).status;
  };
  expect(await ask("GET", "/debug/scopez")).toBe(200);
  expect(await ask("GET", "/debug/scopez?level=debug")).toBe(200);
  expect(level).toBe("info");
  expect(await ask("POST", "/debug/scopez?level=debug", { origin: "http://localhost:15014" })).toBe(403);
  expect(await ask("POST", "/debug/scopez?level=debug", {}, "10.1.1.1")).toBe(401);
  expect(await ask("POST", "/debug/scopez?level=debug", { authorization: "Bearer shop" }, "10.1.1.1")).toBe(403);
  expect(level).toBe("info");
  expect(await ask("POST", "/debug/scopez?level=debug")).toBe(200);
  expect(level).toBe("debug");
  expect(await ask("POST", "/debug/clusterz")).toBe(405);
  expect(await ask("POST", "/debug/toString")).toBe(405);
  expect(await ask("GET", "/debug/toString")).toBe(404);
});
