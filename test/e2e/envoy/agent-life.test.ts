import { existsSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, keptConnections, NODE } from "../../support/agent/netns-network.ts";
import {
  createPod,
  type Lab,
  type LifePod,
  ready,
  startLab,
  startReadyPod,
  token,
} from "../../support/agent/netns-pod.ts";
import { askedOf, PROBED_PORTS, startProbed } from "../../support/agent/probed.ts";
import type { AgentProcess } from "../../support/agent/process.ts";
import { netnsProblem } from "../../support/envoy/netns.ts";
import { waitFor } from "../../support/wait.ts";

// A sidecar from its start to its end, in a pod's network namespace with the rules of its istio-init and with a real Envoy: who
// waits for whom, what a failure does, and that nobody loses a request. Pods are injected by our own injector and live side by
// side on one node with one meshd; requests come from the node, as from other pods and the kubelet, or from the application.

const problem = netnsProblem();
if (problem !== undefined && process.env["CI"] !== undefined) throw new Error(`network namespaces: ${problem}`);

type Open = { close(): unknown }[];
const PATIENCE = { timeoutMs: 60_000 };
const READY = ":15021/healthz/ready";
const AGENT_READY = ":15020/healthz/ready";

const statusOf = async (pod: LifePod, portAndPath: string): Promise<number> => (await pod.get(portAndPath)).status;
const textOf = async (pod: LifePod, portAndPath: string): Promise<string> => (await pod.get(portAndPath)).text;
const envoyPids = (agent: AgentProcess): readonly number[] =>
  [...agent.output().matchAll(/"pid":(\d+)[^\n]*Envoy started/g)].map((match) => Number(match[1]));

describe
  .skipIf(problem !== undefined)
  .concurrent(`a sidecar's life in its pod${problem === undefined ? "" : ` (${problem})`}`, () => {
    let lab: Lab;
    /** Calls of applications that are not answered yet. */
    const held: ServerResponse[] = [];

    beforeAll(async () => {
      lab = await startLab((request, response) => {
        if (request.url === "/hold") held.push(response);
        else response.end(`peer saw ${request.url} ${"x-request-id" in request.headers ? "by Envoy" : "directly"}`);
      });
    });
    afterAll(() => lab?.close());

    /** A test whose processes end with it. */
    const life = (words: string, body: (open: Open) => Promise<void>): void => {
      test(words, async () => {
        const open: Open = [];
        try {
          await body(open);
        } finally {
          for (const item of open.toReversed()) await item.close();
        }
      });
    };

    const signedFor = (name: string): readonly string[] =>
      lab.plane.signed.filter(({ serviceAccount }) => serviceAccount === name).map(({ by }) => by);

    /** Both directions, through Envoy. */
    const expectService = async (pod: LifePod, path: string): Promise<void> => {
      expect(await textOf(pod, `:8080${path}`)).toBe(`app saw ${path}`);
      expect((await pod.call(path)).text).toBe(`peer saw ${path} by Envoy`);
    };

    /** Nobody is there to take what is captured: nothing comes in, and nothing gets out past the mesh. */
    const expectClosed = async (pod: LifePod): Promise<void> => {
      await expect(pod.get(":8080/")).rejects.toThrow(/ECONNREFUSED/);
      await expect(pod.call("/")).rejects.toThrow(/ECONNREFUSED/);
    };

    life(
      "start order: rules, then the proxy, then the application; an expired token holds it until it is renewed",
      async (open) => {
        const proxyConfig = { holdApplicationUntilProxyStarts: true };
        const pod = await createPod(lab, {
          name: "order",
          open,
          proxyConfig,
          token: token("order", Date.now() - 1_000),
        });
        expect(await pod.rules()).not.toContain("ISTIO");
        expect(await textOf(pod, ":8080/bare")).toBe("app saw /bare");
        await pod.init();
        expect(await pod.rules()).toMatch(/^-A PREROUTING -p tcp -j ISTIO_INBOUND$/m);
        await expectClosed(pod);
        const agent = pod.proxy();
        const hold = pod.exec(pod.hooks.postStart);
        await waitFor(() => agent.output().includes("no certificate: "), { ...PATIENCE, what: "a refused token" });
        expect(agent.output()).toContain("the token has expired");
        const words = "no clusters and listeners from meshd yet\n";
        await waitFor(async () => (await textOf(pod, AGENT_READY)) === words, { ...PATIENCE, what: "the reason" });
        expect(await statusOf(pod, AGENT_READY)).toBe(503);
        expect(hold.process.exitCode).toBeNull();
        pod.renewToken(token("order"));
        expect(await hold.exited, hold.output()).toBe(0);
        // What the application does first succeeds, with nothing tried again.
        await expectService(pod, "/first");
        expect(await statusOf(pod, READY)).toBe(200);
      },
    );

    life(
      "meshd away at start: the proxy waits for it and then serves; away later, it stays in service",
      async (open) => {
        const pod = await createPod(lab, { name: "away", open, meshd: NODE.away });
        await pod.init();
        const agent = pod.proxy();
        await waitFor(() => agent.output().includes("cannot be reached"), { ...PATIENCE, what: "words about the CA" });
        expect(await statusOf(pod, AGENT_READY)).toBe(503);
        await lab.meshdAt(NODE.away, true);
        await ready(pod, agent);
        await expectService(pod, "/first");
        await lab.meshdAt(NODE.away, false);
        const connected = "http://127.0.0.1:15000/stats?filter=^cluster.xds-grpc.upstream_cx_active$";
        await waitFor(
          async () => (await ask(pod.side, connected)).text === "cluster.xds-grpc.upstream_cx_active: 0\n",
          {
            ...PATIENCE,
            what: "an Envoy that has lost meshd",
          },
        );
        expect(await statusOf(pod, READY)).toBe(200);
        await expectService(pod, "/alone");
      },
    );

    life("a crash of Envoy: a new one with the certificate that there is; readiness shows the gap", async (open) => {
      const pod = await startReadyPod(lab, { name: "crash", open });
      const [first = 0] = envoyPids(pod.agent);
      process.kill(first, "SIGSEGV");
      await waitFor(async () => (await statusOf(pod, AGENT_READY)) === 503, { ...PATIENCE, what: "not ready" });
      await waitFor(() => envoyPids(pod.agent).length === 2, { ...PATIENCE, what: "a second Envoy" });
      await ready(pod, pod.agent);
      await expectService(pod, "/again");
      expect(signedFor("crash")).toEqual(["token"]);
      expect(pod.agent.output()).toContain("Envoy ended by itself with code 139; starting it again in 100 ms");
    });

    life("a crash of the agent takes Envoy along, and capture stays; the next agent serves again", async (open) => {
      const pod = await startReadyPod(lab, { name: "killed", open });
      const [envoy = 0] = envoyPids(pod.agent);
      pod.agent.process.kill("SIGKILL");
      await waitFor(() => !existsSync(`/proc/${envoy}`), { ...PATIENCE, what: "Envoy gone" });
      await expectClosed(pod);
      await expect(pod.get(READY)).rejects.toThrow(/ECONNREFUSED/);
      await ready(pod, pod.proxy());
      await expectService(pod, "/back");
      expect(signedFor("killed")).toEqual(["token", "token"]);
    });

    life("drain: under load, with requests in flight both ways, none is lost", async (open) => {
      const waiting: ServerResponse[] = [];
      const pod = await startReadyPod(lab, {
        name: "drain",
        open,
        proxyConfig: {
          proxyMetadata: { EXIT_ON_ZERO_ACTIVE_CONNECTIONS: "true", MINIMUM_DRAIN_DURATION: "500ms" },
        },
        app: (request, response) => {
          if (request.url === "/slow") waiting.push(response);
          else response.end("quick");
        },
      });
      const slow = Array.from({ length: 20 }, () => textOf(pod, ":8080/slow"));
      const calls = Array.from({ length: 5 }, () => pod.call("/hold"));
      await waitFor(() => waiting.length === 20 && held.length === 5, { ...PATIENCE, what: "25 requests in flight" });
      const load = startLoad(lab, pod);
      await waitFor(() => load.answers.length > 20, { ...PATIENCE, what: "load" });
      expect(new Set(load.answers)).toEqual(new Set(["quick, keep-alive"]));
      pod.agent.process.kill("SIGTERM");
      await waitFor(() => pod.agent.output().includes("draining"), { ...PATIENCE, what: "draining" });
      const before = load.answers.length;
      await waitFor(() => load.answers.slice(before).filter((answer) => answer === "quick, close").length > 20, {
        ...PATIENCE,
        what: "answers on connections that are told to end",
      });
      // Longer than the minimum: the proxy counts connections, and waits for these.
      await waitFor(() => /waiting for \d+ connections/.test(pod.agent.output()), { ...PATIENCE, what: "the minimum" });
      // By now no other pod has this one's address any more.
      await load.end();
      for (const response of [...waiting, ...held]) response.end("slow");
      expect(await Promise.all(slow)).toEqual(slow.map(() => "slow"));
      expect((await Promise.all(calls)).map(({ text }) => text)).toEqual(calls.map(() => "slow"));
      expect(load.lost).toEqual([]);
      expect(await pod.agent.exited).toBe(0);
      expect(pod.agent.output()).toContain("no connection left");
    });

    life("a Job that has ended: quitquitquit from the pod ends the proxy at once and cleanly", async (open) => {
      const pod = await startReadyPod(lab, { name: "job", open, proxyConfig: { terminationDrainDuration: "60s" } });
      expect((await pod.call("/result")).text).toBe("peer saw /result by Envoy");
      const since = Date.now();
      expect((await ask(pod.side, "http://127.0.0.1:15020/quitquitquit", { method: "POST" })).status).toBe(200);
      expect(await pod.agent.exited).toBe(0);
      expect(Date.now() - since).toBeLessThan(30_000);
    });

    life(
      "a native sidecar: drained by its preStop hook it serves on, and ends at once with the application",
      async (open) => {
        const proxyConfig = { terminationDrainDuration: "60s" };
        const pod = await startReadyPod(lab, { name: "native", open, proxyConfig, isNative: true });
        const hook = pod.exec(pod.hooks.preStop);
        expect(await hook.exited, hook.output()).toBe(0);
        const kept = keptConnections(lab.network.node);
        open.push({ close: () => kept.destroy() });
        const last = async (): Promise<string | undefined> => {
          const answer = await pod.get(":8080/last", { kept });
          expect(answer.text).toBe("app saw /last");
          return answer.headers.connection;
        };
        await waitFor(async () => (await last()) === "close", {
          ...PATIENCE,
          what: "connections that are told to end",
        });
        expect((await pod.call("/last")).text).toBe("peer saw /last by Envoy");
        const since = Date.now();
        pod.agent.process.kill("SIGTERM");
        expect(await pod.agent.exited).toBe(0);
        expect(Date.now() - since).toBeLessThan(30_000);
      },
    );

    life("metrics of agent, Envoy and application by one scrape; log levels change while it runs", async (open) => {
      const annotations = { "prometheus.io/scrape": "true", "prometheus.io/port": "9100" };
      const pod = await startReadyPod(lab, { name: "seen", open, annotations });
      const exporter = createServer((_request, response) => response.end("jobs_total 3\n"));
      const path = lab.socket();
      await new Promise<void>((resolve) => void exporter.listen(path, resolve));
      open.push({ close: () => exporter.close() });
      await pod.side.listen("0.0.0.0", 9100, path);
      const text = await textOf(pod, ":15020/stats/prometheus");
      expect(text).toMatch(/^istio_agent_cert_expiry_seconds/m);
      expect(text).toMatch(/^envoy_server_state\S* 0$/m);
      expect(text.endsWith("jobs_total 3\n")).toBe(true);
      const level = "http://127.0.0.1:15020/logging";
      expect((await ask(pod.side, `${level}?level=debug`, { method: "POST" })).status).toBe(200);
      expect((await ask(pod.side, level)).text).toBe("debug\n");
      const said = async (code: number, ...args: readonly string[]): Promise<string> => {
        const command = pod.exec(["mesh-agent", "request", ...args]);
        expect(await command.exited, command.output()).toBe(code);
        return command.output();
      };
      const [levels, dump, stats, nothing] = await Promise.all([
        said(0, "POST", "logging?level=warning"),
        said(0, "GET", "config_dump?resource=dynamic_listeners"),
        said(0, "GET", "/stats?filter=^server.state$"),
        said(0, "--debug-port", "15020", "get", "healthz/ready"),
        said(1, "GET", "nowhere"),
      ]);
      expect(levels).toContain("upstream: warning");
      const { configs } = JSON.parse(dump) as { configs: { name: string }[] };
      expect(configs.map(({ name }) => name).toSorted()).toEqual(["0.0.0.0_80", "virtualInbound", "virtualOutbound"]);
      expect(stats).toBe("server.state: 0\n");
      expect(nothing).toBe("");
    });

    life(
      "a failing readiness: probes of every kind reach the application past mutual TLS, and say what it says",
      async (open) => {
        const http = { httpGet: { port: "health", path: "/live" } };
        const pods = [
          { livenessProbe: http, readinessProbe: { grpc: { port: 9091, service: "shop.Cart" } } },
          {
            startupProbe: { tcpSocket: { port: "raw" } },
            readinessProbe: { httpGet: { port: 9443, path: "/ready", scheme: "HTTPS" } },
            lifecycle: { preStop: { httpGet: { port: 9090, path: "/bye" } } },
          },
        ].map(async (probes, index) => {
          const pod = await startReadyPod(lab, {
            name: `probed-${index}`,
            open,
            container: { ports: PROBED_PORTS, ...probes },
          });
          const place = {
            socket: () => lab.socket(),
            listen: (port: number, to: string) => pod.side.listen("0.0.0.0", port, to),
          };
          return { pod, app: await startProbed(place, open), asked: askedOf(pod.app) };
        });
        const [one, two] = await Promise.all(pods);
        const outcomes = async (): Promise<readonly number[]> =>
          Promise.all([one, two].flatMap((it) => it?.asked.map((path) => statusOf(it.pod, path)) ?? []));
        expect([one?.asked, two?.asked]).toEqual([
          [":15020/app-health/app/livez", ":15020/app-health/app/readyz"],
          [":15020/app-health/app/readyz", ":15020/app-health/app/startupz", ":15020/app-lifecycle/app/prestopz"],
        ]);
        expect(await outcomes()).toEqual([200, 200, 200, 200, 200]);
        expect([one?.app.seen.toSorted(), two?.app.seen.toSorted()]).toEqual([
          ["/live", "shop.Cart"],
          ["/bye", "/ready"],
        ]);
        // The same ports are closed to who comes without a certificate.
        await expect(one?.pod.get(":9090/live")).rejects.toThrow(/socket hang up|ECONNRESET/);
        for (const it of [one, two]) if (it !== undefined) it.app.isWell = false;
        expect(await outcomes()).toEqual([503, 500, 503, 200, 503]);
        for (const it of [one, two]) {
          if (it === undefined) continue;
          for (const port of [9090, 9091, 9092, 9443]) await it.pod.side.close("0.0.0.0", port);
          expect(await statusOf(it.pod, READY)).toBe(200);
        }
        expect(await outcomes()).toEqual([500, 500, 500, 500, 500]);
      },
    );
  });

/** Requests without pause on kept connections, from the node; what each was answered, and how the connection goes on. */
function startLoad(
  lab: Lab,
  pod: LifePod,
): {
  readonly answers: readonly string[];
  readonly lost: readonly string[];
  end(): Promise<void>;
} {
  const [answers, lost]: [string[], string[]] = [[], []];
  const kept = keptConnections(lab.network.node);
  let running = true;
  const worker = async (): Promise<void> => {
    while (running)
      await pod.get(":8080/load", { kept }).then(
        ({ text, headers }) => answers.push(`${text}, ${headers.connection ?? "keep-alive"}`),
        (error: unknown) => lost.push(String(error)),
      );
  };
  const workers = Array.from({ length: 4 }, worker);
  const end = async (): Promise<void> => {
    running = false;
    await Promise.all(workers);
    kept.destroy();
  };
  return { answers, lost, end };
}
