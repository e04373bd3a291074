import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ClusterError } from "../../src/base/errors.ts";
import { run as bugReport } from "../../src/commands/bug-report.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import type { LogTarget } from "../../src/resources/cluster.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { answering, type PodAnswers } from "../support/pod-answers.ts";

// What bounds a report: time, size, pods that do not answer, and that nothing secret leaves.

const folder = mkdtempSync(join(tmpdir(), "meshctl-bounds-"));
afterAll(() => rmSync(folder, { recursive: true }));

const proxied = (name: string, more: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "shop", annotations: { "sidecar.istio.io/status": "{}" } },
  status: { phase: "Running" },
  ...more,
});
const ANSWERS = { "/server_info": { state: "LIVE" }, "/memory": { allocated: "1" } };

interface Made {
  readonly text: string;
  readonly err: string;
  readonly asked: readonly string[];
  readonly logs: readonly LogTarget[];
}

/** A report of pods, and what came to which pod. `connect`: in place of pods that answer. */
async function reportOf(
  objects: readonly KubeObject[],
  options: Readonly<Record<string, string>>,
  connect?: (answers: PodAnswers, pod: string) => Duplex,
): Promise<Made> {
  await using answers = await answering(ANSWERS);
  const asked: string[] = [];
  const logs: LogTarget[] = [];
  const cluster = fakeCluster({
    objects,
    portForward: ({ pod, port }) => {
      asked.push(`${pod}:${port}`);
      return connect?.(answers, pod) ?? answers.connect();
    },
    logs: (target) => {
      logs.push(target);
      return [`a line of ${target.pod} ${"x".repeat(180)}\n`.repeat(2_000)];
    },
  });
  const io = fakeIo({ cluster, cwd: folder, now: () => new Date("2026-11-21T12:00:00Z") });
  expect((await bugReport({ args: [], options }, io)).exitCode).toBe(0);
  const text = gunzipSync(readFileSync(io.stdout().trim())).toString("utf8");
  return { text, err: io.stderr(), asked, logs };
}

// the first run loads every command there is
beforeAll(async () => {
  await reportOf([], {});
}, 120_000);

/** Takes everything and says nothing. */
const hanging = (): Duplex => new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
/** Nobody is there. */
function closed(): never {
  throw new ClusterError("refused", "connection refused");
}

test("time is up while a pod hangs: the report is written with what is there, and names the rest", async () => {
  const started = performance.now();
  const { err, text } = await reportOf([proxied("stuck")], { timeout: "1500ms" }, hanging);
  // Envoy's port alone would be waited for 10 seconds
  expect(performance.now() - started).toBeLessThan(8_000);
  expect(err).toMatch(/^Left out: pod shop\/stuck port 15000\S* ?.*: time was up$/m);
  expect(text).toContain("index.html");
});

test("a port that refuses is asked once by the collection, and each question that was left out says why", async () => {
  const one = await reportOf([proxied("gone"), proxied("well")], {}, (answers, pod) =>
    pod === "gone" ? closed() : answers.connect(),
  );
  const times = (place: string): number => one.asked.filter((to) => to === place).length;
  expect(times("well:15000") - times("gone:15000")).toBeGreaterThan(5);
  expect(one.err).toMatch(/pod shop\/gone port 15000\/memory: port 15000 did not answer before/);
  expect(one.err).not.toMatch(/pod shop\/well port 15000\/memory/);
});

test("what would be over the size is left out and named; the rest is whole", async () => {
  const objects = Array.from({ length: 6 }, (_, index) => proxied(`web-${index}`));
  const { err, text } = await reportOf(objects, { maxSize: "1" });
  expect(err).toMatch(/^Left out: log of pod shop\/web-\d+: \d+ bytes more would be over the limit of 1000000$/m);
  expect(text.length).toBeLessThan(1_200_000);
  expect(text).toContain("a line of web-");
});

test("--duration and --tail go to every log", async () => {
  const { logs } = await reportOf([proxied("web")], { duration: "10m", tail: "50" });
  expect(logs.filter(({ container }) => container === "istio-proxy")).toEqual([
    { namespace: "shop", pod: "web", container: "istio-proxy", tailLines: 50, sinceSeconds: 600 },
  ]);
});

test("a part of a namespace is no namespace: said, with the one it is in", async () => {
  await expect(reportOf([], { include: "shop,shop/web" })).rejects.toMatchObject({
    message: 'expected a namespace, got "shop/web"',
    hint: "A report has whole namespaces: shop.",
  });
});

test("no value of a Secret, of a variable named like one, no key and no token is in any file, in no form", async () => {
  const token = `eyJhbGciOiJSUzI1NiJ9.${Buffer.from('{"sub":"someone"}').toString("base64url")}.c2lnbmF0dXJl`;
  const data = { password: Buffer.from("hunter2-of-shop").toString("base64") };
  const applied = JSON.stringify({ kind: "Secret", data });
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: "db",
      namespace: "shop",
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": applied },
    },
    data,
  };
  const env = [{ name: "DB_PASSWORD", value: "hunter3-of-shop" }];
  const annotations = { "sidecar.istio.io/status": "{}", note: `Bearer ${token}` };
  const pod = proxied("web", {
    metadata: { name: "web", namespace: "shop", annotations },
    spec: { containers: [{ name: "web", env, args: ["postgres://app:hunter4-of-shop@db:5432/"] }] },
  });
  const { text } = await reportOf([secret, pod], {});
  expect(text).toContain("DB_PASSWORD");
  const forms = ["2", "3", "4"].flatMap((which) => {
    const plain = `hunter${which}-of-shop`;
    return [plain, Buffer.from(plain).toString("base64")];
  });
  for (const form of [...forms, token]) expect(text, form).not.toContain(form);
});
