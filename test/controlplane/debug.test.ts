import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { answerMonitoring } from "../../src/controlplane/debug.ts";
import { createMetrics } from "../../src/controlplane/metrics.ts";
import { createSubscription } from "../../src/controlplane/subscription.ts";
import type { ProxyStatus } from "../../src/controlplane/xds-status.ts";
import type { XdsStream } from "../../src/controlplane/xds-stream.ts";
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

async function listed(...streams: readonly XdsStream[]): Promise<readonly (readonly [string, readonly string[]])[]> {
  const deps = {
    metrics: createMetrics(),
    streams: new Set(streams),
    authenticate: () => Promise.resolve(undefined),
    rootNamespace: "istio-system",
    analyse: () => Promise.resolve(new Uint8Array()),
  };
  const request = { method: "GET", headers: {}, socket: { remoteAddress: "127.0.0.1" } } as unknown as IncomingMessage;
  const { body } = await answerMonitoring(deps, request, new URL("http://localhost/debug/syncz"));
  const proxies = JSON.parse(String(body)) as readonly ProxyStatus[];
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
