import { Agent, createServer, get, type Server } from "node:http";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterEach, expect, test } from "vitest";
import type { TypedAny } from "../../../src/wire/codec.ts";
import { createRoot } from "../../../src/pki/ca.ts";
import { startTestControlPlane, type TestControlPlane } from "../../support/agent/control-plane.ts";
import { type AgentProcess, startAgent } from "../../support/agent/process.ts";
import { waitFor } from "../../support/wait.ts";

const PREFIX = "127.251";
const ADDRESS = `${PREFIX}.0.1`;
const TOKEN = "the-projected-token";

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const item of open.splice(0).reverse()) await item.close();
});

test("an agent gets a certificate, serves it to Envoy, and Envoy is configured by ADS with it", async () => {
  const { plane, agent } = await startPod({ ttlSeconds: 3600 });
  await waitFor(async () => (await status(`http://${ADDRESS}:15021/healthz/ready`)) === 200, {
    what: `15021 ready\n${agent.output()}`,
    timeoutMs: 30_000,
  });
  expect(plane.signed.map((item) => item.by)).toEqual(["token"]);
  expect(plane.streams).toContain("URI:spiffe://cluster.local/ns/shop/sa/web");
  const certs = JSON.parse(await body(`http://${ADDRESS}:15000/certs`)) as Certs;
  expect(certs.certificates.map((item) => item.cert_chain[0]?.serial_number.toUpperCase())).toContain(
    plane.signed[0]?.serial,
  );
  expect(await body(`http://${ADDRESS}:10080/hello`)).toBe("app saw /hello");
  const metrics = await body(`http://${ADDRESS}:15020/stats/prometheus`);
  expect(metrics).toMatch(/^istio_agent_cert_expiry_seconds\{resource_name="default"\} 3[0-9]{3}/m);
  expect(metrics).toMatch(/^envoy_server_state\S* 0$/m);
  expect(await body(`http://${ADDRESS}:15090/stats/prometheus`)).toContain("envoy_cluster_manager_cds_update_success");
  expect(statSync(join(agent.directory, "var/run/secrets/workload-spiffe-uds/socket")).mode & 0o777).toBe(0o600);
});

test("a certificate is renewed with the old one, by token when that is refused, and no request fails meanwhile", async () => {
  const { plane, agent } = await startPod({ ttlSeconds: 3 });
  await ready(agent);
  const failures: string[] = [];
  let requests = 0;
  let running = true;
  const load = (async () => {
    while (running) {
      const answer = await body(`http://${ADDRESS}:10080/r`).catch(String);
      requests += 1;
      if (answer !== "app saw /r") failures.push(answer);
    }
  })();
  await waitFor(() => plane.signed.length >= 3, { what: "two renewals", timeoutMs: 20_000 });
  plane.refuseCertificates = true;
  await waitFor(() => plane.signed.slice(1).some((item) => item.by === "token"), {
    what: "a renewal by token",
    timeoutMs: 20_000,
  });
  const last = plane.signed.at(-1)?.serial;
  await waitFor(async () => (await servedSerial()) === plane.signed.at(-1)?.serial, { what: `serial ${last} served` });
  running = false;
  await load;
  expect(plane.signed.slice(0, 3).map((item) => item.by)).toEqual(["token", "certificate", "certificate"]);
  expect(new Set(plane.signed.map((item) => item.serial)).size).toBe(plane.signed.length);
  expect(failures).toEqual([]);
  expect(requests).toBeGreaterThan(50);
});

test("a root that is added to the mounted bundle reaches Envoy without a new certificate", async () => {
  const { plane, agent } = await startPod({ ttlSeconds: 3600 });
  await ready(agent);
  const second = await createRoot("other.local", {
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
  });
  const trusted = async (): Promise<number> => {
    const { certificates } = JSON.parse(await body(`http://${ADDRESS}:15000/certs`)) as Certs;
    return Math.max(...certificates.map((item) => item.ca_cert.length));
  };
  expect(await trusted()).toBe(1);
  const file = join(agent.directory, "var/run/secrets/istio/root-cert.pem");
  writeFileSync(file, `${plane.root.certificate}\n${second.certificate}`);
  await waitFor(async () => (await trusted()) === 2, { what: "two roots in Envoy" });
  expect(plane.signed.length).toBe(1);
});

test("killing the agent takes Envoy along", async () => {
  const { agent } = await startPod({ ttlSeconds: 3600 });
  await ready(agent);
  const pid = Number(/"pid":(\d+).*Envoy started/.exec(agent.output())?.[1]);
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  agent.process.kill("SIGKILL");
  await waitFor(() => !existsSync(`/proc/${pid}`), { what: "Envoy gone" });
});

test("SIGTERM drains: running connections end in peace, then agent and Envoy leave with code 0", async () => {
  const { agent } = await startPod({ ttlSeconds: 3600 }, { terminationDrainDuration: "1s" });
  await ready(agent);
  expect((await fetchOnce(`http://${ADDRESS}:10080/early`, true)).connection).toBe("keep-alive");
  agent.process.kill("SIGTERM");
  await waitFor(() => agent.output().includes("draining"), { what: "draining" });
  const late = await fetchOnce(`http://${ADDRESS}:10080/late`, true);
  expect([late.text, late.connection]).toEqual(["app saw /late", "close"]);
  expect(await agent.exited).toBe(0);
  await expect(status(`http://${ADDRESS}:15000/ready`)).rejects.toThrow();
});

test("an Envoy that dies ends the agent with its code", async () => {
  const { agent } = await startPod({ ttlSeconds: 3600 });
  await ready(agent);
  const pid = Number(/"pid":(\d+).*Envoy started/.exec(agent.output())?.[1]);
  process.kill(pid, "SIGKILL");
  expect(await agent.exited).toBe(137);
});

interface Certs {
  readonly certificates: readonly {
    readonly ca_cert: readonly unknown[];
    readonly cert_chain: readonly { readonly serial_number: string }[];
  }[];
}

async function startPod(
  options: { readonly ttlSeconds: number },
  proxyConfig: Readonly<Record<string, unknown>> = {},
): Promise<{ plane: TestControlPlane; agent: AgentProcess; app: Server }> {
  const app = createServer((request, response) => response.end(`app saw ${request.url}`));
  await new Promise<void>((resolve) => {
    app.listen({ host: `${PREFIX}.0.2`, port: 8080 }, resolve);
  });
  open.push({ close: () => app.close() });
  const plane = await startTestControlPlane({
    token: TOKEN,
    identity: { namespace: "shop", serviceAccount: "web" },
    ttlSeconds: options.ttlSeconds,
    resources: podResources(),
  });
  open.push(plane);
  const agent = startAgent(
    ["proxy", "sidecar", "--domain", "shop.svc.cluster.local", "--concurrency", "1"],
    {
      POD_NAME: "web-1",
      POD_NAMESPACE: "shop",
      INSTANCE_IP: ADDRESS,
      CA_ADDR: `istiod.istio-system.svc:${plane.port}`,
      PROXY_CONFIG: JSON.stringify(proxyConfig),
      ISTIO_META_INTERCEPTION_MODE: "NONE",
      ISTIO_META_MESH_BIND: JSON.stringify({ prefix: PREFIX, appAddress: `${PREFIX}.0.2`, httpProxyPort: 15080 }),
      SECRET_GRACE_PERIOD_RATIO: "0.5",
    },
    {
      "etc/hosts": "127.0.0.1 istiod.istio-system.svc\n",
      "var/run/secrets/istio/root-cert.pem": plane.root.certificate,
      "var/run/secrets/tokens/istio-token": `${TOKEN}\n`,
    },
  );
  open.push({ close: () => agent.clean() });
  return { plane, agent, app };
}

/** A listener in plain text (10080) and one with the workload's certificate (10443), both to the app. */
function podResources(): readonly TypedAny[] {
  const type = (name: string): string => `type.googleapis.com/${name}`;
  const at = (address: string, port_value: number) => ({ socket_address: { address, port_value } });
  const manager = {
    name: "envoy.filters.network.http_connection_manager",
    typed_config: {
      "@type": type("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
      stat_prefix: "inbound",
      route_config: {
        virtual_hosts: [
          { name: "app", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "app" } }] },
        ],
      },
      http_filters: [
        {
          name: "envoy.filters.http.router",
          typed_config: { "@type": type("envoy.extensions.filters.http.router.v3.Router") },
        },
      ],
    },
  };
  const sds = {
    resource_api_version: "V3",
    api_config_source: {
      api_type: "DELTA_GRPC",
      transport_api_version: "V3",
      grpc_services: [{ envoy_grpc: { cluster_name: "sds-grpc" } }],
    },
  };
  const tls = {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": type("envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"),
      common_tls_context: { tls_certificate_sds_secret_configs: [{ name: "default", sds_config: sds }] },
    },
  };
  const listener = (name: string, port: number, extra: object): TypedAny => ({
    "@type": type("envoy.config.listener.v3.Listener"),
    name,
    traffic_direction: "INBOUND",
    address: at(ADDRESS, port),
    filter_chains: [{ filters: [manager], ...extra }],
  });
  return [
    {
      "@type": type("envoy.config.cluster.v3.Cluster"),
      name: "app",
      type: "STATIC",
      connect_timeout: "1s",
      load_assignment: {
        cluster_name: "app",
        endpoints: [{ lb_endpoints: [{ endpoint: { address: at(`${PREFIX}.0.2`, 8080) } }] }],
      },
    },
    listener("plain", 10080, {}),
    listener("tls", 10443, { transport_socket: tls }),
  ];
}

async function ready(agent: AgentProcess): Promise<void> {
  await waitFor(async () => (await status(`http://${ADDRESS}:15021/healthz/ready`)) === 200, {
    what: `15021 ready\n${agent.output()}`,
    timeoutMs: 30_000,
  });
}

function servedSerial(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: ADDRESS, port: 10443, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? "");
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

interface Fetched {
  readonly status: number;
  readonly text: string;
  readonly connection: string | undefined;
}

/** `keep`: says that it would use the connection again. */
function fetchOnce(url: string, keep = false): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    const agent = keep ? new Agent({ keepAlive: true }) : false;
    const call = get(url, { agent }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        if (agent !== false) agent.destroy();
        const connection = answer.headers.connection ?? (keep ? "keep-alive" : undefined);
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString(), connection });
      });
    });
    call.on("error", reject);
  });
}

async function status(url: string): Promise<number> {
  return (await fetchOnce(url)).status;
}

async function body(url: string): Promise<string> {
  return (await fetchOnce(url)).text;
}
