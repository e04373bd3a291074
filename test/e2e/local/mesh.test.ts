import { existsSync, readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScenario } from "../../../scripts/scenario/context.ts";
import { MAIN_JOB, MAIN_JOB_WITH_UPGRADE, type Step } from "../../../scripts/scenario/steps.ts";
import { askedOfTheMesh } from "../../support/local/asked.ts";
import {
  listenersOf,
  listening,
  missingFor,
  type Network,
  prepareCluster,
  processesWith,
  realEnvoy,
  type TestCluster,
  type Traces,
  tracesOf,
  tracesSince,
} from "../../support/local/cluster.ts";
import { bothDoors } from "../../support/local/doors.ts";
import { automatedGateway } from "../../support/local/gateway-step.ts";
import { wasmModuleFetched } from "../../support/local/module-step.ts";
import { accessLogs } from "../../support/local/logs-step.ts";
import { noSecretsTold } from "../../support/local/no-secrets.ts";
import { prometheusAndPanels } from "../../support/local/prometheus-step.ts";
import { rateLimits } from "../../support/local/rate-limit-step.ts";
import { pageInBrowser } from "../../support/local/page-step.ts";
import { everyReader } from "../../support/readers/step.ts";
import { rotation } from "../../support/local/rotation.ts";
import { statusOfProxies } from "../../support/local/status-step.ts";
import { trafficTold } from "../../support/local/traffic-step.ts";
import { waitFor } from "../../support/wait.ts";
import { missingPackages, type PrometheusImage, prometheusImage } from "../../support/prometheus/prometheus.ts";

// The whole main job, from `meshctl up` to `meshctl down`, in every kind of network. The steps are those of the demo; in a user
// namespace and on loopback addresses the cluster belongs to a user without any privilege, and the steps go through the API instead of
// kubectl.

interface Variant {
  readonly title: string;
  readonly network: Network;
  readonly uid?: number;
  readonly kubectl: boolean;
}

const variants: readonly Variant[] = [
  { title: "network namespaces", network: "netns", kubectl: true },
  { title: "a user namespace, without any privilege", network: "userns", uid: 65534, kubectl: false },
  { title: "loopback addresses, without any privilege", network: "loopback", uid: 65534, kubectl: false },
];

const doors: Step = { title: "The webhook and meshctl inject put the same proxy into the same pods", run: bothDoors };

const readers: Step = {
  title: "Every command that reads says the same of the mesh, of its bug report, of a dump and over xDS",
  run: everyReader,
};
const secrets: Step = { title: "Nothing that the mesh tells has a secret in it", run: noSecretsTold };

const front: Step = { title: "A Gateway of Gateway API gets pods and a Service of its own", run: automatedGateway };

const authorities: Step = {
  title: "The mesh goes to other authorities under load without a failed request; who is revoked is refused",
  run: rotation,
};

const asked: Step = {
  title: "Who may call whom, and how much is secured, asked of the running mesh",
  run: askedOfTheMesh,
};

const module: Step = { title: "A WebAssembly module comes from a server into sidecars", run: wasmModuleFetched };
const limits: Step = { title: "The rate limit service keeps one limit for all pods of a workload", run: rateLimits };

const logs: Step = { title: "Access logs have a line of each request, on both sides", run: accessLogs };

const metrics: Step = {
  title: "Prometheus counts exactly what was called, and every panel of every dashboard has data",
  run: prometheusAndPanels,
};

/** Why there is no Prometheus and no browser here: they come from packages of Debian. */
const noPackages = process.env["CI"] === "true" ? undefined : missingPackages();

const traffic: Step = { title: "Who calls whom, live: edges, stat, top, tap, graph", run: trafficTold };
const page: Step = { title: "The control plane's page in a real browser", run: pageInBrowser };

const statuses: Step = {
  title: "A proxy is compared with what it should run, an object is awaited until it is live, refusals are explained",
  run: statusOfProxies,
};

const isRoot = process.getuid?.() === 0;

describe.each(variants)("$title", ({ network, uid, kubectl }) => {
  const reason = missingFor(network);
  const skip = reason !== undefined && process.env["CI"] !== "true";
  const said: string[] = [];
  let before: Traces;
  let cluster: TestCluster;
  let scenario: Awaited<ReturnType<typeof openScenario>> | undefined;
  let failed: string | undefined;
  let image: PrometheusImage | undefined;

  beforeAll(async () => {
    if (skip) return;
    expect(reason).toBeUndefined();
    if (network === "loopback" && noPackages === undefined) image = await prometheusImage();
    before = await tracesOf();
    // a test that is not root is the unprivileged user already
    const as = isRoot && uid !== undefined ? { uid } : {};
    cluster = await prepareCluster({ ...as, envoy: await realEnvoy() });
  });
  afterAll(async () => {
    await scenario?.close();
    await cluster?.remove();
    image?.remove();
  });

  /** Steps build on each other: after one that failed the rest says so instead of failing in their own words. */
  async function runStep(step: Step): Promise<void> {
    if (failed !== undefined) throw new Error(`not run: "${failed}" failed before`);
    said.length = 0;
    try {
      if (scenario === undefined) throw new Error("no cluster");
      await step.run(scenario);
    } catch (error) {
      failed = step.title;
      throw new Error(`${String(error)}\n${said.join("\n")}`, { cause: error });
    }
  }

  test.skipIf(skip)("meshctl up", async () => {
    failed = "meshctl up";
    const mapped = image === undefined ? [] : ["--map", image.mapping];
    expect(await cluster.meshctl("up", "--network", network, ...mapped)).toContain(
      "is up: Kubernetes API at https://127.0.0.1:",
    );
    scenario = await openScenario(cluster.kubeconfig, (text) => said.push(text), { kubectl });
    failed = undefined;
  });

  // an upgrade takes a minute: in one kind of network, and on the real node
  const steps = network === "netns" ? MAIN_JOB_WITH_UPGRADE : MAIN_JOB;
  // the doors are those of the first revision, which an upgrade takes away
  const common = MAIN_JOB.length - 1;
  // looked into while nothing changes
  const calm = MAIN_JOB.findIndex(({ title }) => title.startsWith("Look into the mesh")) + 1;
  // what is told is the same in every kind of network; the limits' service is protected by nothing but its certificate in this one
  const looks = [
    // before what starts and takes away programs: a proxy keeps routes of what went until its old listeners have drained
    ...(network === "userns" ? [] : [readers]),
    ...(network === "loopback"
      ? [secrets, asked, statuses, logs, limits, module, traffic, ...(noPackages === undefined ? [page, metrics] : [])]
      : []),
    front,
  ];
  // half a minute more: where no upgrade takes one
  const last = network === "loopback" ? [doors, authorities] : [doors];
  for (const step of [...steps.slice(0, calm), ...looks, ...steps.slice(calm, common), ...last, ...steps.slice(common)])
    test.skipIf(skip)(step.title, () => runStep(step));

  test.skipIf(skip)("meshctl down leaves no process, port, network namespace, link, route, rule or file", async () => {
    await scenario?.close();
    scenario = undefined;
    const { runDir = "" } = cluster.state();
    const ports = listenersOf(cluster.home);
    expect(ports.length).toBeGreaterThan(0);
    expect(await cluster.meshctl("down")).toContain("is down");
    expect(processesWith(cluster.home)).toEqual([]);
    // the kernel takes a process's memory, by which it is found above, a moment before its sockets
    await waitFor(() => ports.every((port) => !listening().has(port)), { what: `ports ${ports.join(" ")} to be free` });
    expect(await tracesSince(before)).toEqual([]);
    expect(existsSync(runDir)).toBe(false);
    expect(readdirSync(cluster.home)).toEqual(["envoy"]);
  });
});
