import { once } from "node:events";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openCluster } from "../../../src/kube/cluster.ts";
import {
  type Network,
  type TestCluster,
  type Traces,
  missingFor,
  missingKubectl,
  prepareCluster,
  processesWith,
  tracesOf,
} from "../../support/local/cluster.ts";
import { APP, PROGRAM, answerTo, fetchDirectly } from "../../support/local/program.ts";
import { waitFor } from "../../support/wait.ts";

interface Variant {
  readonly title: string;
  readonly network: Network;
  readonly uid?: number;
}

const variants: readonly Variant[] = [
  { title: "network namespaces", network: "netns" },
  { title: "a user namespace, without any privilege", network: "userns", uid: 65534 },
  { title: "loopback addresses", network: "loopback" },
  { title: "loopback addresses, without any privilege", network: "loopback", uid: 65534 },
];

const CAPTURE = `
apiVersion: v1
kind: Pod
metadata: {name: capture, namespace: default}
spec:
  restartPolicy: Never
  containers:
  - {name: c, image: example.com/sh, command: [sh, -c, "iptables -t nat -N MESHCTL-E2E && echo changed || echo refused"], securityContext: {runAsUser: 0}}
`;

const noKubectl = await missingKubectl();

test.skipIf(process.getuid?.() !== 0 || noKubectl !== undefined)(
  "on loopback addresses, a pod of root cannot change the machine's rules",
  async () => {
    const cluster = await prepareCluster();
    await cluster.meshctl("up", "--network", "loopback", "--map", "example.com/sh=sh");
    await waitFor(() => cluster.kubectl("get", "serviceaccount", "default"), { what: "the account" });
    await cluster.apply(CAPTURE);
    await cluster.kubectl("wait", "pod/capture", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=20s");
    const said = await cluster.kubectl("logs", "capture");
    await cluster.remove();
    expect(said).toContain("refused");
    expect((await tracesOf()).rules).toBe("");
  },
);

const USERS = `
apiVersion: v1
kind: Pod
metadata: {name: users, namespace: default}
spec:
  restartPolicy: Never
  containers:
  - {name: named, image: example.com/sh, command: [sh, -c, "id -u; iptables -t nat -F 2>/dev/null && echo changed || echo refused"], securityContext: {runAsUser: 1234}}
  - {name: unnamed, image: example.com/sh, command: [sh, -c, "id -u; iptables -t nat -F 2>/dev/null && echo changed || echo refused"]}
  - {name: root, image: example.com/sh, command: [sh, -c, "id -u; iptables -t nat -F && echo changed"], securityContext: {runAsUser: 0}}
`;

test.skipIf(missingFor("userns") !== undefined || noKubectl !== undefined)(
  "in a user namespace, programs see the user their pod names, and only root has power over the pod's network",
  async () => {
    const uid = process.getuid?.() === 0 ? 65534 : undefined;
    const cluster = await prepareCluster(uid === undefined ? {} : { uid });
    await cluster.meshctl("up", "--network", "userns", "--map", "example.com/sh=sh");
    await waitFor(() => cluster.kubectl("get", "serviceaccount", "default"), { what: "the account" });
    await cluster.apply(USERS);
    await cluster.kubectl("wait", "pod/users", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=20s");
    const said = (name: string): Promise<string> => cluster.kubectl("logs", "users", "-c", name);
    expect(await said("named")).toBe("1234\nrefused");
    expect(await said("unnamed")).toBe(`${uid ?? process.getuid?.()}\nrefused`);
    expect(await said("root")).toBe("0\nchanged");
    await cluster.remove();
  },
);

describe.each(variants)("$title", ({ network, uid }) => {
  const reason =
    missingFor(network) ??
    noKubectl ??
    (uid !== undefined && process.getuid?.() !== 0 ? "only root can become another user" : undefined);
  const skip = reason !== undefined && process.env["CI"] !== "true";
  let cluster: TestCluster;
  let before: Traces;
  beforeEach(async () => {
    expect(skip ? undefined : reason).toBeUndefined();
    before = await tracesOf();
    cluster = await prepareCluster(uid === undefined ? {} : { uid });
    writeFileSync(join(cluster.home, "app.mjs"), PROGRAM);
  });
  afterEach(async () => {
    await cluster.remove();
    expect(await tracesOf()).toEqual(before);
  });

  const up = (...args: readonly string[]): Promise<string> =>
    cluster.meshctl("up", "--network", network, "--map", `example.com/web=node ${cluster.home}/app.mjs`, ...args);

  async function deploy(): Promise<void> {
    await cluster.apply(
      network === "userns" ? APP.replace("spec: {selector", "spec: {type: LoadBalancer, selector") : APP,
    );
    await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=30s");
  }

  /** A port of a pod as this machine reaches it: where no address of a pod leads out, through the API. */
  async function fetchText(url: string): Promise<string> {
    const { hostname, port, pathname } = new URL(url);
    if (network !== "userns" || hostname === "127.0.0.1") return fetchDirectly(url);
    const api = await openCluster({ kubeconfig: cluster.kubeconfig, env: {} });
    const pods = await api.list({ apiVersion: "v1", kind: "Pod" }, { namespace: "default" });
    const pod = pods.find(({ status }) => (status as { podIP?: string } | undefined)?.podIP === hostname);
    const target = { namespace: "default", pod: pod?.metadata.name ?? "", port: Number(port) };
    const stream = await api.portForward(target);
    return answerTo({ path: pathname, createConnection: () => stream });
  }

  /** The Service as this machine reaches it. */
  async function serviceUrl(): Promise<string> {
    if (network === "userns") {
      const text = await waitFor(
        () => cluster.kubectl("get", "service", "web", "-o", "jsonpath={.metadata.annotations}"),
        { what: "a port of the machine" },
      );
      return `http://127.0.0.1:${/"80=(\d+)"/.exec(text)?.[1] ?? "?"}`;
    }
    const ip = await cluster.kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}");
    if (network === "netns") return `http://${ip}`;
    const env = JSON.parse(await fetchText(`http://${await podIp()}:8080/env`)) as Record<string, string>;
    return `http://${env["WEB_SERVICE_HOST"] ?? ""}:${env["WEB_SERVICE_PORT"] ?? ""}`;
  }

  async function podIp(): Promise<string> {
    return cluster.kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].status.podIP}");
  }

  test.skipIf(skip)(
    "a Deployment comes up, answers by its Service, rolls without a failed request, and shows its logs",
    async () => {
      expect(await up()).toContain("is up: Kubernetes API at https://127.0.0.1:");
      expect(await up()).toContain("is already up");
      await deploy();
      const url = await serviceUrl();
      const answers = new Set<string>();
      await waitFor(async () => answers.add(await fetchText(url)).size === 2, { what: "both pods to answer" });
      for (const answer of answers) expect(answer).toMatch(/^v1 web-/);

      let failed = 0;
      let rolling = true;
      const traffic = (async () => {
        while (rolling) await fetchText(url).catch(() => failed++);
      })();
      await cluster.kubectl("set", "env", "deployment/web", "VERSION=v2");
      await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=30s");
      await waitFor(async () => (await fetchText(url).catch(() => "")).startsWith("v2"), { what: "the new version" });
      rolling = false;
      await traffic;
      expect(failed).toBe(0);
      await cluster.kubectl("rollout", "undo", "deployment/web");
      await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=30s");

      expect(await cluster.kubectl("logs", "deployment/web")).toContain("listening");
      const follow = cluster.kubectlProcess("logs", "-f", "deployment/web");
      let lines = "";
      follow.stdout?.on("data", (chunk: Buffer) => (lines += chunk.toString()));
      const pod = await cluster.kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].status.podIP}");
      await waitFor(
        async () => {
          for (const ip of pod.split(" ")) await fetchText(`http://${ip}:8080/followed`);
          return lines.includes("GET /followed");
        },
        { what: "a followed log line" },
      );
      follow.kill();
    },
  );

  test.skipIf(skip)("port-forward reaches what listens on the pod's loopback", async () => {
    await up();
    await deploy();
    const name = await cluster.kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}");
    const forward = cluster.kubectlProcess("port-forward", name, ":9090");
    let said = "";
    forward.stdout?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    forward.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const port = await waitFor(() => /127\.0\.0\.1:(\d+)/.exec(said)?.[1], { what: "port-forward to listen" });
    const answer = await waitFor(() => fetchText(`http://127.0.0.1:${port}`), { what: `an answer (${said})` });
    expect(answer).toMatch(/^inside (::ffff:)?127\./);
    forward.kill();
    await once(forward, "exit");
  });

  test.skipIf(skip)(
    "volumes follow their source, the environment is the pod's alone, and a crash is restarted",
    async () => {
      await up();
      await deploy();
      const ip = await podIp();
      expect(await fetchText(`http://${ip}:8080/config`)).toBe("hello");
      await cluster.kubectl(
        "patch",
        "configmap",
        "greeting",
        "--type=merge",
        "-p",
        '{"data":{"greeting":"good evening"}}',
      );
      await waitFor(async () => (await fetchText(`http://${ip}:8080/config`)) === "good evening", {
        what: "the new value",
      });

      const env = JSON.parse(await fetchText(`http://${ip}:8080/env`)) as Record<string, string>;
      expect(Object.keys(env)).not.toContain("MESHCTL_ENVOY");
      expect(Object.keys(env)).not.toContain("NODE_CHANNEL_FD");
      expect(env["PATH"]).toMatch(/\/bin:/);
      const pid = Number(
        /^(\d+) node/m.exec(
          processesWith(`${cluster.home}/app.mjs`)
            .filter((line) => / node /.test(line))
            .join("\n"),
        )?.[1],
      );
      process.kill(pid, "SIGKILL");
      await waitFor(
        async () =>
          (
            await cluster.kubectl("get", "pods", "-o", "jsonpath={.items[*].status.containerStatuses[0].restartCount}")
          ).includes("1"),
        { what: "a restart" },
      );
      await cluster.kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=20s");
      expect(
        await cluster.kubectl(
          "get",
          "pods",
          "-o",
          "jsonpath={.items[*].status.containerStatuses[0].lastState.terminated.exitCode}",
        ),
      ).toBe("137");
    },
  );

  test.skipIf(skip)("one pod calls another, and itself, through the Service", async () => {
    await up();
    await deploy();
    const ip = await podIp();
    const env = JSON.parse(await fetchText(`http://${ip}:8080/env`)) as Record<string, string>;
    const ask = (url: string): Promise<string> =>
      fetchText(`http://${ip}:8080/ask/${Buffer.from(url).toString("base64url")}`);
    const address = `http://${env["WEB_SERVICE_HOST"] ?? ""}:${env["WEB_SERVICE_PORT"] ?? ""}`;
    const names = network !== "loopback" ? ["http://web", "http://web.default.svc.cluster.local"] : [];
    for (const url of [address, ...names]) {
      const seen = new Set<string>();
      await waitFor(async () => seen.add(await ask(url)).size === 2, { what: `both pods to answer ${url}` });
    }
    await cluster.kubectl("scale", "deployment/web", "--replicas=0");
    await cluster.kubectl("wait", "--for=delete", "pod", "-l", "app=web", "--timeout=20s");
    await expect(fetchText(address.includes("127.") ? address : await serviceUrl())).rejects.toThrow();
  });

  test.skipIf(skip)("killing the node leaves nothing alive, and the next up starts anew", async () => {
    await up();
    await deploy();
    const marker = `${cluster.home}/`;
    expect(processesWith(marker).length).toBeGreaterThan(2);
    // with a user namespace there are two: the node, and the process before its door
    const parts = network === "userns" ? 2 : 1;
    for (let part = 0; part < parts; part++) {
      // a program that the node is about to start looks like the node for a moment
      const nodes = await waitFor(
        () => {
          const found = nodesIn(cluster.home);
          return found.length === parts ? found : undefined;
        },
        { what: `${parts} processes of the node` },
      );
      process.kill(nodes[part] ?? Number.NaN, "SIGKILL");
      const { runDir } = cluster.state();
      await waitFor(() => processesWith(marker).length === 0, {
        what: `processes to end: ${processesWith(marker).join("\n")}`,
      });
      await waitFor(async () => JSON.stringify(await tracesOf()) === JSON.stringify(before), {
        what: "links and routes to go",
      });
      if (runDir !== undefined) await waitFor(() => !existsSync(runDir), { what: "the node's folder to go" });
      expect(await up()).toContain("was not ended properly");
      await deploy();
    }
    expect(await cluster.meshctl("down")).toContain("is down");
    expect(processesWith(marker)).toEqual([]);
    expect(leftIn(cluster.home)).toEqual(["app.mjs"]);
    expect(await cluster.meshctl("down")).toContain("there is no cluster");
  });

  test.skipIf(skip)("a port in use is said, and nothing is left", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await expect(up("--api-port", String(port))).rejects.toThrow(`port ${port} of 127.0.0.1 is in use`);
    expect(leftIn(cluster.home)).toEqual(["app.mjs"]);
    server.close();
  });

  test.skipIf(skip)("the user's kubeconfig is touched only when asked for, and given back", async () => {
    const own = join(cluster.home, "config");
    const mine =
      "apiVersion: v1\nkind: Config\ncurrent-context: work\ncontexts:\n- name: work\n  context: {}\nclusters: []\nusers: []\n";
    writeFileSync(own, mine, { mode: 0o666 });
    const other = await prepareCluster({ ...(uid === undefined ? {} : { uid }), env: { KUBECONFIG: own } });
    writeFileSync(own, mine);
    if (uid !== undefined)
      await import("node:fs").then(({ chownSync }) => {
        chownSync(own, uid, uid);
      });
    await other.meshctl("up", "--network", network);
    expect(readFileSync(own, "utf8")).toBe(mine);
    await other.meshctl("down");
    await other.meshctl("up", "--network", network, "--merge-kubeconfig");
    expect(readFileSync(own, "utf8")).toContain(`current-context: meshctl-${other.name}`);
    await other.remove();
    const left = readFileSync(own, "utf8");
    expect(left).toContain("name: work");
    expect(left).not.toContain(other.name);
  });
});

test.skipIf(noKubectl !== undefined)(
  "a cluster tied to its starter ends with it and takes its files along",
  async () => {
    const cluster = await prepareCluster();
    const { spawn } = await import("node:child_process");
    const root = new URL("../../..", import.meta.url).pathname;
    const starter = spawn(
      process.execPath,
      [join(root, "bin/meshctl.js"), "up", "--tied", "--name", cluster.name, "--network", "loopback"],
      {
        env: { PATH: process.env["PATH"] ?? "", HOME: cluster.home, MESHCTL_ENVOY: "/bin/true" },
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    // without the file kubectl asks whoever listens at localhost:8080, and goes on asking where somebody does
    await waitFor(() => existsSync(cluster.kubeconfig), { what: "the kubeconfig" });
    await waitFor(() => cluster.kubectl("get", "serviceaccount", "default"), { what: "the cluster" });
    const { runDir = "" } = cluster.state();
    expect(existsSync(runDir)).toBe(true);
    starter.stdin?.end();
    await once(starter, "exit");
    await waitFor(() => processesWith(cluster.home).length === 0, { what: "the last process to end" });
    expect([existsSync(join(cluster.home, ".local")), existsSync(runDir)]).toEqual([false, false]);
    await cluster.remove();
  },
);

/** Process numbers of the node: of itself, not of what holds its namespaces. */
function nodesIn(home: string): readonly number[] {
  return processesWith(home)
    .filter((line) => line.includes("meshctl.js local-node") && !/unshare|sh -c/.test(line))
    .map((line) => Number(line.split(" ")[0]))
    .toSorted((a, b) => a - b);
}

/** kubectl keeps a cache of its own there. */
function leftIn(home: string): readonly string[] {
  return readdirSync(home).filter((name) => name !== ".kube");
}
