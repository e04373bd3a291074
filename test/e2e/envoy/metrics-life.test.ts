import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { scopePinningLogger, statNamespaceExtension, statsConfig } from "../../../src/agent/bootstrap-stats.ts";
import { accessLogs } from "../../../src/xds/access-loggers/order.ts";
import { testEnvoy } from "../../support/envoy/binary.ts";
import { http1 } from "../../support/envoy/client.ts";
import { freePorts } from "../../support/envoy/free-ports.ts";
import { samples } from "../../support/envoy/prometheus.ts";
import { type RunningEnvoy, runEnvoy } from "../../support/envoy/run-envoy.ts";
import { waitFor } from "../../support/wait.ts";

// How long a real Envoy keeps series of the standard metrics: over changes of listeners, and until they are idle for two sweeps.

const service = { host: "web.shop.svc.cluster.local", name: "web", namespace: "shop" };
const options = { trustDomains: ["cluster.local"], accessLog: undefined, protocolDetectionTimeoutMs: 0 };
const logs = accessLogs({ direction: "inbound", mutualTls: false, service, options }, "http");
const folder = mkdtempSync(join(tmpdir(), "metrics-life-"));
let envoy: RunningEnvoy;
let port: number;

/** A listener that answers by itself; another name of its statistics replaces it. */
function listener(name: string, at: number, access_log: unknown, listenerLog: readonly unknown[] = []): object {
  const manager = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: name,
    access_log,
    http_filters: [
      {
        name: "router",
        typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
      },
    ],
    route_config: {
      virtual_hosts: [
        { name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, direct_response: { status: 204 } }] },
      ],
    },
  };
  return {
    name: `listener-${at}`,
    address: { socket_address: { address: "127.0.0.1", port_value: at } },
    filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }],
    access_log: listenerLog,
  };
}

/** Hands Envoy this listener, in place of the one before. */
function put(version: string): void {
  writeFileSync(
    join(folder, "next.json"),
    JSON.stringify({
      version_info: version,
      resources: [
        { "@type": "type.googleapis.com/envoy.config.listener.v3.Listener", ...listener(version, port, logs) },
      ],
    }),
  );
  renameSync(join(folder, "next.json"), join(folder, "lds.json"));
}

const counted = async (): Promise<number> =>
  (await samples(envoy, "istio_requests_total")).reduce((sum, { value }) => sum + value, 0);

const ask = async (times: number): Promise<void> => {
  for (let i = 0; i < times; i += 1)
    expect((await http1({ host: "127.0.0.1", port, authority: "web" }, "/")).status).toBe(204);
};

beforeAll(async () => {
  const [own = 0, pin = 0] = await freePorts(2);
  port = own;
  put("one");
  const bootstrap = {
    node: { id: "metrics", cluster: "metrics" },
    bootstrap_extensions: [statNamespaceExtension()],
    stats_config: statsConfig({ proxyConfig: {}, metadata: {}, drain: { exitOnZeroConnections: false } }),
    // as the agent's bootstrap, but for how often
    stats_flush_interval: "0.5s",
    stats_eviction_interval: "2s",
    dynamic_resources: {
      lds_config: {
        path_config_source: { path: join(folder, "lds.json"), watched_directory: { path: folder } },
        resource_api_version: "V3",
      },
    },
    static_resources: { listeners: [listener("pin", pin, [], [scopePinningLogger()])] },
  };
  envoy = await runEnvoy(await testEnvoy(), bootstrap, { folder: join(folder, "envoy"), drainSeconds: 1 });
  await waitFor(async () => (await envoy.admin("/listeners")).includes(`listener-${port}`), { what: "the listener" });
});

afterAll(async () => {
  await envoy?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("what was counted stays when the listener is replaced, and the new one goes on from there", async () => {
  const changes = async (): Promise<number> =>
    Number(
      /listener_manager\.listener_(?:modified|in_place_updated): (\d+)/.exec(await envoy.admin("/stats"))?.[1] ?? 0,
    );
  await ask(3);
  const before = await changes();
  put("two");
  await waitFor(
    async () => {
      await ask(1);
      return (await changes()) > before && (await envoy.admin("/stats")).includes("total_listeners_draining: 0");
    },
    { what: "the listener to be replaced, and gone" },
  );
  const sent = await counted();
  expect(sent).toBeGreaterThan(3);
  await ask(2);
  expect(await counted()).toBe(sent + 2);
});

test("a series that nobody adds to for two sweeps goes, and begins anew at the next request", async () => {
  await ask(1);
  expect(await counted()).toBeGreaterThan(0);
  await waitFor(async () => (await counted()) === 0, { what: "idle series to go", timeoutMs: 20_000 });
  await ask(2);
  expect(await counted()).toBe(2);
});
