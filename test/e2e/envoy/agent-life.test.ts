import { existsSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest, type ServerResponse } from "node:http";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import {
  ADDRESS,
  body,
  fetchOnce,
  ready,
  startCommand,
  startPod,
  status,
  type TestPod,
  TOKEN,
} from "../../support/agent/pod.ts";
import { rewritten, startProbed } from "../../support/agent/probed.ts";
import { waitFor } from "../../support/wait.ts";

// A sidecar from its start to its end, with a real Envoy: who waits for whom, what a failure does, and that nobody loses a request.

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of open.splice(0).reverse()) await item.close();
});

const READY = `http://${ADDRESS}:15021/healthz/ready`;
const AGENT_READY = `http://${ADDRESS}:15020/healthz/ready`;

const envoyPids = ({ agent }: TestPod): readonly number[] =>
  [...agent.output().matchAll(/"pid":(\d+)[^\n]*Envoy started/g)].map((match) => Number(match[1]));

test("start order: the application's hold ends when the proxy is ready, and not before", async () => {
  const token = "not-yet-valid";
  const pod = await startPod({ ttlSeconds: 3600, open, token });
  // The postStart hook of holdApplicationUntilProxyStarts.
  const hold = startCommand(["wait", "--url", READY, "--periodMillis", "50"]);
  open.push({ close: () => hold.clean() });
  await waitFor(() => pod.agent.output().includes("no certificate:"), { what: "a refused token" });
  // An expired token: alive, not ready, and it says why.
  const words = async (): Promise<string> => (await fetchOnce(AGENT_READY)).text;
  await waitFor(async () => (await words()) === "no clusters and listeners from meshd yet\n", { what: "the reason" });
  expect(await status(AGENT_READY)).toBe(503);
  expect(hold.process.exitCode).toBeNull();
  // The kubelet renews the token in its place.
  writeFileSync(join(pod.agent.directory, "var/run/secrets/tokens/istio-token"), TOKEN);
  expect(await hold.exited).toBe(0);
  expect(await status(READY)).toBe(200);
});

test("meshd away at start: the proxy waits for it and then serves; away later, it stays in service", async () => {
  const pod = await startPod({ ttlSeconds: 3600, open, planeAway: true });
  await waitFor(async () => (await status(AGENT_READY)) === 503, { what: "an agent that answers" });
  await waitFor(() => pod.agent.output().includes("cannot be reached"), { what: "words about the CA" });
  const plane = await pod.startPlane();
  await ready(pod.agent);
  expect(await body(`http://${ADDRESS}:10080/first`)).toBe("app saw /first");
  await plane.close();
  expect(await status(READY)).toBe(200);
  expect(await body(`http://${ADDRESS}:10080/alone`)).toBe("app saw /alone");
});

test("a crash of Envoy: a new one with the certificate that there is; readiness shows the gap", async () => {
  const pod = await startPod({ ttlSeconds: 3600, open });
  await ready(pod.agent);
  process.kill(envoyPids(pod)[0] ?? 0, "SIGSEGV");
  await waitFor(async () => (await status(AGENT_READY)) === 503, { what: "not ready" });
  await waitFor(() => envoyPids(pod).length === 2, { what: "a second Envoy" });
  await ready(pod.agent);
  expect(await body(`http://${ADDRESS}:10080/again`)).toBe("app saw /again");
  expect(pod.plane.signed).toHaveLength(1);
  expect(pod.agent.output()).toContain("Envoy ended by itself with code 139; starting it again in 100 ms");
});

test("a crash of the agent takes Envoy along; the next agent serves again within seconds", async () => {
  const first = await startPod({ ttlSeconds: 3600, open });
  await ready(first.agent);
  const [pid = 0] = envoyPids(first);
  first.agent.process.kill("SIGKILL");
  await waitFor(() => !existsSync(`/proc/${pid}`), { what: "Envoy gone" });
  const second = first.startAgain();
  await ready(second);
  expect(await body(`http://${ADDRESS}:10080/back`)).toBe("app saw /back");
  expect(first.plane.signed.map(({ by }) => by)).toEqual(["token", "token"]);
});

test("drain: requests in flight and requests on kept connections all get their answers", async () => {
  const waiting: ServerResponse[] = [];
  const pod = await startPod({
    ttlSeconds: 3600,
    open,
    env: { EXIT_ON_ZERO_ACTIVE_CONNECTIONS: "true", MINIMUM_DRAIN_DURATION: "500ms" },
    app: (request, response) => {
      if (request.url === "/slow") waiting.push(response);
      else response.end("quick");
    },
  });
  await ready(pod.agent);
  const slow = Array.from({ length: 20 }, () => body(`http://${ADDRESS}:10080/slow`));
  await waitFor(() => waiting.length === 20, { what: "20 requests in flight" });
  pod.agent.process.kill("SIGTERM");
  await waitFor(() => pod.agent.output().includes("draining"), { what: "draining" });
  const late = await Promise.all(Array.from({ length: 20 }, () => fetchOnce(`http://${ADDRESS}:10080/late`, true)));
  expect(late.map(({ text, connection }) => [text, connection])).toEqual(late.map(() => ["quick", "close"]));
  // Longer than the minimum: the proxy counts connections, and waits for these.
  await waitFor(() => /waiting for \d+ connections/.test(pod.agent.output()), { what: "the minimum to be over" });
  for (const response of waiting) response.end("slow");
  expect(await Promise.all(slow)).toEqual(slow.map(() => "slow"));
  expect(await pod.agent.exited).toBe(0);
});

test("a Job that has ended: quitquitquit from the pod ends the proxy at once and cleanly", async () => {
  const pod = await startPod({ ttlSeconds: 3600, open, proxyConfig: { terminationDrainDuration: "60s" } });
  await ready(pod.agent);
  expect(await post("/quitquitquit")).toBe(200);
  expect(await pod.agent.exited).toBe(0);
});

test("a native sidecar: drained by its preStop hook it serves on, and ends at once with the application", async () => {
  const pod = await startPod({ ttlSeconds: 3600, open, proxyConfig: { terminationDrainDuration: "60s" } });
  await ready(pod.agent);
  expect(await post("/drain")).toBe(200);
  const last = async (): Promise<string | undefined> => {
    const answer = await fetchOnce(`http://${ADDRESS}:10080/last`, true);
    expect(answer.text).toBe("app saw /last");
    return answer.connection;
  };
  await waitFor(async () => (await last()) === "close", { what: "connections that are told to end" });
  pod.agent.process.kill("SIGTERM");
  expect(await pod.agent.exited).toBe(0);
});

test("metrics of agent, Envoy and application by one scrape; log levels change while it runs", async () => {
  const exporter = createServer((_request, response) => response.end("jobs_total 3\n"));
  await new Promise<void>((resolve) => void exporter.listen({ host: "127.251.0.2", port: 9100 }, resolve));
  open.push({ close: () => exporter.close() });
  const annotations = JSON.stringify({ scrape: "true", port: "9100" });
  const pod = await startPod({ ttlSeconds: 3600, open, env: { ISTIO_PROMETHEUS_ANNOTATIONS: annotations } });
  await ready(pod.agent);
  const text = await body(`http://${ADDRESS}:15020/stats/prometheus`);
  expect(text).toMatch(/^istio_agent_cert_expiry_seconds/m);
  expect(text).toMatch(/^envoy_server_state\S* 0$/m);
  expect(text.endsWith("jobs_total 3\n")).toBe(true);
  expect(await post("/logging?level=debug")).toBe(200);
  expect(await body(`http://${ADDRESS}:15020/logging`)).toBe("debug\n");
  const levels = startCommand(["request", "POST", "logging?level=warning"]);
  open.push({ close: () => levels.clean() });
  expect(await levels.exited).toBe(0);
  expect(levels.output()).toContain("upstream: warning");
  const dump = await said("request", "GET", "config_dump?resource=dynamic_listeners");
  expect((JSON.parse(dump) as { configs: { name: string }[] }).configs.map(({ name }) => name)).toEqual([
    "plain",
    "tls",
  ]);
  expect(await said("request", "GET", "/stats?filter=^server.state$")).toBe("server.state: 0\n");
  expect(await said("request", "--debug-port", "15020", "get", "healthz/ready")).toBe("");
  const wrong = startCommand(["request", "GET", "nowhere"]);
  open.push({ close: () => wrong.clean() });
  expect(await wrong.exited).toBe(1);
});

test("probes of every kind, as injection rewrote them, are answered by the application through the agent", async () => {
  const http = { httpGet: { port: "health", path: "/live" } };
  const probes = {
    app: { livenessProbe: http, readinessProbe: { grpc: { port: 9091, service: "shop.Cart" } } },
    web: {
      startupProbe: { tcpSocket: { port: "raw" } },
      readinessProbe: { httpGet: { port: 9443, path: "/ready", scheme: "HTTPS" } },
      lifecycle: { preStop: { httpGet: { port: 9090, path: "/bye" } } },
    },
  };
  const { probers, asked } = rewritten(probes);
  const app = await startProbed(open);
  const pod = await startPod({ ttlSeconds: 3600, open, env: { ISTIO_KUBE_APP_PROBERS: probers } });
  await ready(pod.agent);
  const outcomes = async (): Promise<readonly number[]> =>
    Promise.all(asked.map((path) => status(`http://${ADDRESS}${path}`)));
  expect(asked).toEqual([
    ":15020/app-health/app/livez",
    ":15020/app-health/app/readyz",
    ":15020/app-health/web/readyz",
    ":15020/app-health/web/startupz",
    ":15020/app-lifecycle/web/prestopz",
  ]);
  expect(await outcomes()).toEqual([200, 200, 200, 200, 200]);
  expect(app.seen.toSorted()).toEqual(["/bye", "/live", "/ready", "shop.Cart"]);
  app.isWell = false;
  expect(await outcomes()).toEqual([503, 500, 503, 200, 503]);
  await app.close();
  expect(await outcomes()).toEqual([500, 500, 500, 500, 500]);
});

/** What a command of mesh-agent in the pod prints. */
async function said(...args: readonly string[]): Promise<string> {
  const command = startCommand(args);
  open.push({ close: () => command.clean() });
  expect(await command.exited, command.output()).toBe(0);
  return command.output();
}

/** POST to the agent, from an address of the pod. */
function post(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { host: ADDRESS, port: 15020, path, method: "POST", localAddress: "127.251.0.9", agent: false };
    const call = httpRequest(options, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
    });
    call.on("error", reject);
    call.end();
  });
}
