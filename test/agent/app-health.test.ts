import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type AppHealth, createAppHealth, healthPolicy, stepHealth, UNDECIDED } from "../../src/agent/app-health.ts";
import { readConfig } from "../../src/agent/config.ts";
import type { Readiness } from "../../src/agent/readiness.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { startTestControlPlane, type TestControlPlane } from "../support/agent/control-plane.ts";
import { waitFor } from "../support/wait.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const policy = healthPolicy({ successThreshold: 2, failureThreshold: 3 });

/** Decisions after each answer. */
function play(answers: readonly boolean[]): readonly (boolean | undefined)[] {
  let state = UNDECIDED;
  return answers.map((ok) => {
    state = stepHealth(state, ok, policy);
    return state.healthy;
  });
}

test.each([
  [
    [true, true],
    [undefined, true],
  ],
  [
    [false, false, true, false, false, false],
    [undefined, undefined, undefined, undefined, undefined, false],
  ],
  [
    [true, true, false, false, true, false, false, false, true, true],
    [undefined, true, true, true, true, true, true, false, false, true],
  ],
])("answers %j decide %j", (answers, decisions) => {
  expect(play(answers)).toEqual(decisions);
});

test("Kubernetes' defaults, in milliseconds", () => {
  expect(healthPolicy({})).toEqual({ initialDelay: 0, period: 10_000, timeout: 1_000, successes: 1, failures: 3 });
  expect(healthPolicy({ initialDelaySeconds: 2, periodSeconds: 1 })).toMatchObject({
    initialDelay: 2_000,
    period: 1_000,
  });
});

/** An agent's health checks, and the control plane that hears of them. */
async function start(probe: object, ready: () => Readiness = () => ({ ready: true })) {
  const folder = mkdtempSync(join(tmpdir(), "app-health-"));
  const plane = await startTestControlPlane({ accountOf: () => "nobody", ttlSeconds: 60, resources: [] });
  writeFileSync(join(folder, "roots.pem"), plane.root.certificate);
  const PROXY_CONFIG = JSON.stringify({ readinessProbe: { periodSeconds: 1, failureThreshold: 1, ...probe } });
  const env = { POD_NAME: "vm-1", POD_NAMESPACE: "shop", INSTANCE_IP: "127.0.0.1", PROXY_CONFIG };
  const read = readConfig({ args: ["sidecar"], env, readFile: () => undefined, version: "0" });
  const discovery = { host: "127.0.0.1", port: plane.port };
  const health: AppHealth = createAppHealth({
    config: { ...read, discovery, rootCert: join(folder, "roots.pem") },
    certificate: () => ({ kind: "token", token: "t" }),
    ready: () => Promise.resolve(ready()),
    log: silentLogger,
  });
  closers.push(
    () => rmSync(folder, { recursive: true }),
    () => plane.close(),
    () => health.close(),
  );
  await health.start();
  return { plane, health, folder };
}

const saying = (plane: TestControlPlane, word: string): Promise<unknown> =>
  waitFor(() => plane.words.at(-1) === word, { what: `"${word}", not ${JSON.stringify(plane.words)}` });

test("a program's exit code, a request and a connection are asked; what is wrong is told in words", async () => {
  const server = createServer((request, response) => {
    response.writeHead(request.headers["x-key"] === "1" ? 200 : 403).end("no key");
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  closers.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const byFile = mkdtempSync(join(tmpdir(), "app-health-file-"));
  closers.push(() => rmSync(byFile, { recursive: true }));
  const exec = await start({ exec: { command: ["test", "-e", join(byFile, "well")] } });
  const all = await Promise.all([
    start({ httpGet: { port, httpHeaders: [{ name: "x-key", value: "1" }] } }),
    start({ httpGet: { port } }),
    start({ tcpSocket: { port } }),
    start({ tcpSocket: { port, host: "127.0.0.9" } }),
    start({ exec: { command: ["no-such-program"] } }),
  ]);
  await saying(exec.plane, "exec probe ended with 1");
  writeFileSync(join(byFile, "well"), "");
  await saying(exec.plane, "well");
  const words = [
    "well",
    `http probe of port ${port}: status 403: no key`,
    "well",
    `tcp probe of port ${port}: status 500`,
    "exec probe: spawn no-such-program ENOENT",
  ];
  for (const [index, { plane }] of all.entries()) await saying(plane, words[index] ?? "");
});

test("a proxy that is not ready is not well; one that is to end says so, and nothing after it", async () => {
  let ready: Readiness = { ready: false, reason: "no clusters and listeners from meshd yet" };
  const { plane, health } = await start({ exec: { command: ["true"] } }, () => ready);
  await saying(plane, "no clusters and listeners from meshd yet");
  ready = { ready: true };
  await saying(plane, "well");
  health.leave();
  await saying(plane, "the proxy ends");
  const from = Date.now();
  await waitFor(() => Date.now() - from > 1_200, { what: "more than a period" });
  expect(plane.words).toEqual(["no clusters and listeners from meshd yet", "well", "the proxy ends"]);
});

test("the last word is said again on a new stream", async () => {
  const { plane } = await start({ exec: { command: ["true"] } });
  await saying(plane, "well");
  await plane.goAway();
  await plane.comeBack();
  await waitFor(() => plane.words.length === 2, { what: "the word again" });
  expect(plane.words).toEqual(["well", "well"]);
});
