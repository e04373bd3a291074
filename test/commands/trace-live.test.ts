import { connect, createServer, type AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { callerCommand } from "../../src/agent/caller.ts";
import { CALLER_PORT } from "../../src/base/caller.ts";
import { ClusterError } from "../../src/base/errors.ts";
import { callerIn } from "../../src/commands/trace/caller.ts";
import { compare, type Happened } from "../../src/commands/trace/compare.ts";
import { exchange } from "../../src/commands/trace/send.ts";
import type { Asked, Ending, Trace } from "../../src/commands/trace/types.ts";
import type { Cluster } from "../../src/resources/cluster.ts";
import type { Symptom } from "../../src/why/types.ts";
import { freePorts } from "../support/envoy/free-ports.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { waitFor } from "../support/wait.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const POD = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web-1", namespace: "shop" },
  spec: {
    containers: [
      { name: "web", image: "web:1" },
      { name: "istio-proxy", image: "proxy:1" },
    ],
  },
};
const RUNNING = { running: { startedAt: "2026-11-22T03:00:00Z" } };

interface Given {
  /** What becomes of a container that is put there. */
  readonly state?: unknown;
  /** Instead of the patch. */
  readonly refuse?: (put: (name: string) => void) => never;
}

/** A pod whose ephemeral containers "run" at once: each is a real caller at a port of this process. */
async function podOf({ state = RUNNING, refuse }: Given = {}) {
  const [port = 0] = await freePorts(1);
  let terminate = (): void => undefined;
  const said: string[] = [];
  const ended = callerCommand(["--port", String(port)], {
    out: (text) => said.push(text),
    env: {},
    onTerminate: (act) => (terminate = act),
  });
  ends.push(() => {
    terminate();
    return ended;
  });
  await waitFor(() => said.length > 0, { what: "the caller" });
  const asked: number[] = [];
  const fake = fakeCluster({
    objects: [POD],
    logs: () => ["caller: port 15097 is taken\n"],
    portForward: ({ port: wanted }) => {
      asked.push(wanted);
      return connect(port, "127.0.0.1");
    },
  });
  const put = (name: string): void =>
    fake.set({
      ...POD,
      spec: { ...POD.spec, ephemeralContainers: [{ name }] },
      status: { ephemeralContainerStatuses: [{ name, state }] },
    });
  const patches: unknown[] = [];
  const cluster: Cluster = {
    ...fake,
    mergePatch: async (target, patch, options) => {
      patches.push([target.name, options?.subresource, patch]);
      refuse?.(put);
      const result = await fake.mergePatch(target, patch, options);
      put("meshctl-caller-1");
      return result;
    },
  };
  const told: string[] = [];
  let questions = 0;
  const deps = (agrees: boolean) => ({
    cluster,
    signal: new AbortController().signal,
    tell: (text: string) => told.push(text),
    agreed: () => {
      questions += 1;
      return Promise.resolve(agrees);
    },
  });
  return { deps, patches, told, asked, questions: () => questions };
}

const REF = { namespace: "shop", name: "web-1" };

async function server(answer: string) {
  const listening = createServer((socket) => socket.once("data", () => socket.end(answer)));
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  ends.push(() => listening.close());
  return (listening.address() as AddressInfo).port;
}

test("a container is put into the pod once, with the proxy's image and a user that is captured; the next request goes through it too", async () => {
  const pod = await podOf();
  const port = await server("pong");
  for (const _ of [1, 2]) {
    const dial = await callerIn(pod.deps(true), REF);
    const dialled = await dial("localhost", port);
    if ("error" in dialled) throw new Error(dialled.error);
    expect(dialled.from).toMatch(/^(127\.0\.0\.1|::1):\d+$/);
    const asked = { url: new URL(`tcp://x:${port}`), method: "TCP", headers: [], now: 0, data: "ping" };
    expect(await exchange(dialled.stream, asked, "id")).toEqual({ bytes: 4, closed: true });
  }
  expect(pod.questions()).toBe(1);
  expect(pod.patches).toMatchObject([
    [
      "web-1",
      "ephemeralcontainers",
      {
        spec: {
          ephemeralContainers: [
            {
              name: "meshctl-caller-1",
              image: "proxy:1",
              args: ["caller"],
              securityContext: { runAsUser: 65_532, runAsNonRoot: true, allowPrivilegeEscalation: false },
            },
          ],
        },
      },
    ],
  ]);
  expect(pod.told.join("")).toContain("meshctl-caller-1 was put into pod shop/web-1");
  expect(new Set(pod.asked)).toEqual(new Set([CALLER_PORT]));
});

test("what cannot be reached from the pod is an answer, not an error", async () => {
  const pod = await podOf();
  const [closed = 0] = await freePorts(1);
  const dial = await callerIn(pod.deps(true), REF);
  expect(await dial("127.0.0.1", closed)).toEqual({ error: expect.stringContaining("ECONNREFUSED") as string });
});

test("without consent nothing is put there", async () => {
  const pod = await podOf();
  await expect(callerIn(pod.deps(false), REF)).rejects.toThrow("nothing was put into pod shop/web-1");
  expect(pod.patches).toEqual([]);
});

test("a container that ends at once says what it wrote; one whose image cannot be had, why", async () => {
  const ended = await podOf({ state: { terminated: { exitCode: 2 } } });
  await expect(callerIn(ended.deps(true), REF)).rejects.toThrow(
    "container meshctl-caller-1 of pod shop/web-1 does not run: caller: port 15097 is taken",
  );
  const missing = await podOf({ state: { waiting: { reason: "ErrImagePull", message: "no such image" } } });
  await expect(callerIn(missing.deps(true), REF)).rejects.toThrow("does not run: no such image");
});

test("one that somebody else puts there at the same moment is used", async () => {
  const pod = await podOf({
    refuse: (put) => {
      put("meshctl-caller-1");
      throw new ClusterError("invalid", "may not be removed");
    },
  });
  const dial = await callerIn(pod.deps(true), REF);
  expect("from" in (await dial("127.0.0.1", await server("")))).toBe(true);
});

test("a refusal of the cluster stays what it is", async () => {
  const pod = await podOf({
    refuse: () => {
      throw new ClusterError("forbidden", "pods/ephemeralcontainers is forbidden");
    },
  });
  await expect(callerIn(pod.deps(true), REF)).rejects.toThrow("pods/ephemeralcontainers is forbidden");
});

test("a request goes over such a connection, and a silent server of bytes is no failure", async () => {
  const pod = await podOf();
  const dial = await callerIn(pod.deps(true), REF);
  const port = await server("HTTP/1.1 204 No Content\r\n\r\n");
  const dialled = await dial("127.0.0.1", port);
  if ("error" in dialled) throw new Error(dialled.error);
  const asked: Asked = { url: new URL("http://catalog/"), method: "GET", headers: [], now: 0 };
  expect(await exchange(dialled.stream, asked, "id")).toEqual({ status: 204 });
});

const delivered: Ending = { kind: "delivered", text: "delivered to ledger.shop" };
const refused: Ending = {
  kind: "failed",
  text: "refused by ledger.shop: the connection is closed",
  missing: "permission",
};

function walkedTo(ends: Ending): Trace {
  const branch = { share: 1, cluster: "outbound|9000||ledger", steps: [], ends };
  return { from: "web.shop", method: "TCP", url: "tcp://ledger:9000", steps: [], branches: [branch], ends };
}

function line(more: Partial<Symptom>): Symptom {
  return { from: "line", text: "", flags: [], others: {}, upstreamCluster: "outbound|9000||ledger", ...more };
}

const HAPPENED: Happened = {
  status: undefined,
  own: line({}),
  servers: [],
  error: undefined,
  bytes: 10,
  closed: false,
};

test.each<[string, Ending, Partial<Happened>, readonly string[]]>([
  ["it arrives and is answered", delivered, {}, []],
  [
    "the server's proxy refuses what should arrive",
    delivered,
    { servers: [line({ terminationDetails: "rbac_access_denied_matched_policy[none]" })] },
    ["the server's proxy refused it (rbac_access_denied_matched_policy[none]), the walk arrives"],
  ],
  [
    "no endpoint",
    delivered,
    { own: line({ flags: ["UH"], details: "no_healthy_upstream" }) },
    ["it failed with UH (no_healthy_upstream), the walk arrives"],
  ],
  [
    "another cluster",
    delivered,
    { own: line({ upstreamCluster: "PassthroughCluster" }) },
    ["it went to PassthroughCluster, the walk to outbound|9000||ledger"],
  ],
  ["refused as foreseen", refused, { bytes: 0, closed: true }, []],
  ["answered though refused", refused, {}, ["10 bytes came back, the walk arrives nowhere"]],
])("a connection beside its walk: %s", (_, ends, happened, differences) => {
  expect(compare(walkedTo(ends), { ...HAPPENED, ...happened })).toEqual(differences);
});
