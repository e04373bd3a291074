import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { load, podIp, podOf, podsOf } from "../../../scripts/scenario/ask.ts";
import { createRoot } from "../../../src/pki/ca.ts";
import type { KindTypes } from "../../../src/resources/kinds.ts";
import { missingFor } from "../../support/local/cluster.ts";
import {
  AGENT_UID,
  CLIENT,
  callFrom,
  DNS_PACKET,
  type Estate,
  GRACE_SECONDS,
  type Host,
  NAMESPACE,
  onMachine,
  openEstate,
  serialOf,
} from "../../support/local/estate.ts";
import { openEdge } from "../../support/local/edge.ts";
import { AGENT } from "../../support/local/vm.ts";
import { waitFor } from "../../support/wait.ts";

// Three machines of one WorkloadGroup on a network of their own: no pod can be reached from there, only the gateway between the
// networks, by which they come to the control plane (two replicas) and to the services of the mesh. Needs root.

const reason = missingFor("netns");
const skip = reason !== undefined && process.env["CI"] !== "true";
let estate: Estate;

beforeAll(async () => {
  if (skip) return;
  expect(reason).toBeUndefined();
  estate = await openEstate();
}, 600_000);
afterAll(() => estate?.close());

test.skipIf(skip)("each machine registers, by the gateway between the networks, and says that it is well", async () => {
  await waitFor(async () => (await estate.healthy()).length === 3, {
    what: "three healthy entries",
    timeoutMs: 90_000,
  });
  for (const { name, machine } of estate.hosts) {
    expect(readFileSync(join(machine.root, "etc/hosts"), "utf8")).toMatch(
      /^10\.\d+\.\d+\.\d+ istiod\.istio-system\.svc$/m,
    );
    const entry = (await estate.entries()).find(({ spec }) => spec?.address === machine.ip);
    expect(entry, name).toMatchObject({
      metadata: {
        name: `database-${machine.ip}-machines`,
        labels: { app: "database" },
        annotations: {
          team: "data",
          "istio.io/autoRegistrationGroup": "database",
          "proxy.istio.io/health-checks-enabled": "true",
        },
        ownerReferences: [{ kind: "WorkloadGroup", name: "database" }],
      },
      spec: { network: "machines", serviceAccount: "database", ports: { http: 8080 } },
    });
    const notes = entry?.metadata.annotations ?? {};
    expect(notes["istio.io/workloadController"]).toMatch(/^istiod-/);
    expect(notes["istio.io/connectedAt"]).toMatch(/^\d{4}-\d\d-\d\dT/);
  }
  const status = await estate.cluster.meshctl("proxy-status");
  for (const { name } of estate.hosts) expect(status).toContain(`${name}.${NAMESPACE}`);
});

test.skipIf(skip)("calls of the mesh are spread over them, each under the account's identity", async () => {
  await waitFor(async () => Object.keys((await estate.ask(12)).version).length === 3, {
    what: "answers of all",
    timeoutMs: 30_000,
  });
  const { status, version } = await estate.ask(150, "/", { concurrency: 4 });
  expect(status).toEqual({ 200: 150 });
  for (const { name } of estate.hosts) expect(version[name], name).toBeGreaterThan(25);
});

test.skipIf(skip)(
  "a machine reaches no pod, and calls services through the gateway alone, by its account's right",
  async () => {
    const [host] = estate.hosts as [Host];
    const server = podIp(await podOf(estate.scenario, NAMESPACE, "catalog"));
    const dial = `const s = require("node:net").connect(15006, "${server}"); s.on("connect", () => { console.log("reached"); s.destroy(); }).on("error", (e) => console.log(e.code))`;
    // the proxy's own user: nothing leads it through the proxy
    const direct = host.machine.start(AGENT_UID, {}, process.execPath, "-e", dial);
    await direct.exited;
    expect(direct.output().trim()).toBe("ECONNREFUSED");
    await waitFor(async () => (await callFrom(host, `http://catalog.${NAMESPACE}/items`)).status["200"] === 5, {
      what: "answers from the mesh",
      timeoutMs: 30_000,
    });
    const clusters = host.machine.run(...AGENT, "request", "GET", "clusters");
    const ways = clusters.split("\n").filter((line) => line.startsWith(`outbound|80||catalog.${NAMESPACE}.`));
    const addresses = new Set(ways.flatMap((line) => /::(\d+\.\d+\.\d+\.\d+:\d+)::/.exec(line)?.[1] ?? []));
    expect([...addresses]).toEqual([expect.stringMatching(/:15443$/)]);
    // another account of the namespace has no right
    const other = await load(estate.scenario, CLIENT, { url: `http://catalog.${NAMESPACE}/items`, requests: 5 });
    expect(other.status).toEqual({ 403: 5 });
  },
);

const LOOKUP = `require("node:dns").lookup(process.argv[1], { all: true, family: 4 }, (e, a) => console.log(e?.code ?? a.map((x) => x.address).join()))`;
const OVER_TCP = `
const packet = require(process.argv[1]);
let got = Buffer.alloc(0);
require("node:net").connect(53, process.argv[2], function () { this.write(packet.streamEncode({ type: "query", id: 7, flags: packet.RECURSION_DESIRED, questions: [{ type: "A", name: process.argv[3] }] })); })
  .on("data", function (bytes) {
    got = Buffer.concat([got, bytes]);
    if (got.length < 2 || got.length < got.readUInt16BE(0) + 2) return;
    console.log(packet.streamDecode(got).answers.filter(({ type }) => type === "A").map(({ data }) => data).join());
    this.destroy();
  });
`;

test.skipIf(skip)(
  "names of the mesh are answered on the machine, all others by the name server of its network",
  async () => {
    const [host] = estate.hosts as [Host];
    const service = (await estate.scenario.cluster.get({
      apiVersion: "v1",
      kind: "Service",
      namespace: NAMESPACE,
      name: "catalog",
    })) as { spec?: { clusterIP?: string } } | undefined;
    const lookup = (name: string): Promise<string> => onMachine(host, process.execPath, "-e", LOOKUP, name);
    for (const name of ["catalog", `catalog.${NAMESPACE}`, `catalog.${NAMESPACE}.svc.cluster.local`])
      expect(await lookup(name), name).toBe(service?.spec?.clusterIP);
    const allocated = await lookup("stock.mesh.local");
    expect(allocated).toMatch(/^240\.240\./);
    expect(await lookup("intranet.corp.example")).toBe("192.0.2.77");
    expect(await lookup("intranet")).toBe("192.0.2.77");
    expect(await lookup("nobody.corp.example")).toMatch(/^ENOTFOUND|^EAI_AGAIN/);
    const path = DNS_PACKET;
    const server = host.machine.ip.replace(/\d+$/, "1");
    const overTcp = (name: string): Promise<string> =>
      onMachine(host, process.execPath, "-e", OVER_TCP, path, server, name);
    expect(await overTcp("stock.mesh.local")).toBe(allocated);
    expect(await overTcp("intranet.corp.example")).toBe("192.0.2.77");
    // what has an address given is reached by it
    expect((await callFrom(host, "http://stock.mesh.local:9100/items")).status).toEqual({ 200: 5 });
  },
);

test.skipIf(skip)(
  "one that is not well is left out within seconds, loses no running request, and comes back",
  async () => {
    const [host] = estate.hosts as [Host];
    const slow = estate.ask(12, "/slow", { concurrency: 12 });
    await waitFor(() => existsSync(join(host.machine.root, "tmp/slow")), { what: "a running request" });
    writeFileSync(join(host.machine.root, "unwell"), "");
    const from = performance.now();
    const others = async (): Promise<boolean> => {
      const { status, version } = await estate.ask(30);
      expect(status).toEqual({ 200: 30 });
      return version[host.name] === undefined;
    };
    await waitFor(others, { what: "no answer of it", timeoutMs: 10_000 });
    // two failed probes, a second apart, and what it takes to tell
    expect(performance.now() - from).toBeLessThan(5_000);
    const answered = await slow;
    expect(answered.status).toEqual({ 200: 12 });
    expect(answered.version[host.name]).toBeGreaterThan(0);
    const sick = (await estate.entries()).find(({ spec }) => spec?.address === host.machine.ip);
    const [condition] = sick?.status?.conditions ?? [];
    expect(condition).toMatchObject({ type: "Healthy", status: "False" });
    expect(condition?.message).toContain("503: unwell");
    rmSync(join(host.machine.root, "unwell"));
    await waitFor(async () => ((await estate.ask(30)).version[host.name] ?? 0) > 0, {
      what: "its answers again",
      timeoutMs: 10_000,
    });
  },
);

test.skipIf(skip)("an agent is restarted and certificates are renewed under load: no request fails", async () => {
  const [host] = estate.hosts as [Host];
  const before = await estate.uids();
  const serials = estate.hosts.map(serialOf);
  writeFileSync(join(host.machine.root, "var/run/secrets/tokens/istio-token"), "expired");
  const running = load(estate.scenario, CLIENT, {
    url: `http://database.${NAMESPACE}/`,
    seconds: 30,
    rate: 40,
    concurrency: 4,
  });
  host.agent.process.kill("SIGTERM");
  await host.agent.exited;
  host.agent = estate.start(host);
  const { status, requests, error } = await running;
  expect(error).toEqual({});
  expect(status).toEqual({ 200: requests });
  expect(requests).toBeGreaterThan(600);
  for (const [index, each] of estate.hosts.entries()) expect(serialOf(each), each.name).not.toBe(serials[index]);
  await waitFor(async () => (await estate.healthy()).length === 3, { what: "all well again", timeoutMs: 20_000 });
  expect(await estate.uids()).toEqual(before);
});

test.skipIf(skip)(
  "the replica that they are connected to goes, then both: entries stay as they are, no request fails",
  async () => {
    const before = await estate.uids();
    const controllers = async (): Promise<ReadonlySet<string>> =>
      new Set(
        (await estate.entries()).map(({ metadata }) => metadata.annotations?.["istio.io/workloadController"] ?? ""),
      );
    for (const count of [1, 2]) {
      const pods = (await podsOf(estate.scenario, "istio-system", "istiod")).map(({ metadata }) => metadata.name);
      const held = await controllers();
      const going = count === 2 ? pods : pods.filter((name) => held.has(name)).slice(0, 1);
      expect(going).toHaveLength(count);
      const running = load(estate.scenario, CLIENT, {
        url: `http://database.${NAMESPACE}/`,
        seconds: 2 * GRACE_SECONDS,
        rate: 20,
        concurrency: 2,
      });
      await estate.cluster.kubectl("-n", "istio-system", "delete", "pod", "--wait=true", ...going);
      const { status, requests } = await running;
      expect(status).toEqual({ 200: requests });
      await waitFor(async () => [...(await controllers())].every((name) => !going.includes(name)), {
        what: "the entries taken over",
        timeoutMs: 30_000,
      });
      expect(await estate.uids()).toEqual(before);
      expect((await estate.healthy()).length).toBe(3);
    }
  },
);

test.skipIf(skip)("roots of another trust domain reach machines, which mount nothing, and go again", async () => {
  const { cluster } = estate.scenario;
  const place = { apiVersion: "v1", kind: "ConfigMap", namespace: "istio-system", name: "istio" };
  const { mesh = "" } = ((await cluster.get(place))?.["data"] ?? {}) as { readonly mesh?: string };
  const now = Date.now();
  const validity = { notBefore: new Date(now - 60_000), notAfter: new Date(now + 3_600_000) };
  const pem = (await createRoot("partner.example", validity)).certificate;
  const bundle = { caCertificates: [{ pem, trustDomains: ["partner.example"] }] };
  const trusting = (): readonly boolean[] =>
    estate.hosts.map(({ machine }) =>
      machine
        .run(...AGENT, "request", "GET", "config_dump?resource=dynamic_active_secrets")
        .includes('"partner.example"'),
    );
  expect(trusting()).toEqual([false, false, false]);
  await cluster.mergePatch(place, { data: { mesh: stringify({ ...parse(mesh), ...bundle }) } });
  await waitFor(() => trusting().every(Boolean), { what: "the roots at every machine", timeoutMs: 30_000 });
  expect((await estate.ask(30)).status).toEqual({ 200: 30 });
  await cluster.mergePatch(place, { data: { mesh } });
  await waitFor(() => !trusting().some(Boolean), { what: "the roots to be gone", timeoutMs: 30_000 });
  expect((await estate.ask(30)).status).toEqual({ 200: 30 });
});

test.skipIf(skip)(
  "a machine whose power fails is known to have left, and its entry goes after the grace; the others serve",
  async () => {
    const host = estate.hosts.at(-1) as Host;
    const mine = async (): Promise<KindTypes["WorkloadEntry"] | undefined> =>
      (await estate.entries()).find(({ spec }) => spec?.address === host.machine.ip);
    await host.machine.crash();
    await waitFor(async () => (await mine())?.metadata.annotations?.["istio.io/disconnectedAt"] !== undefined, {
      what: "a time of leaving",
      timeoutMs: 20_000,
    });
    expect((await mine())?.metadata.annotations).not.toHaveProperty(["istio.io/connectedAt"]);
    await waitFor(async () => (await mine()) === undefined, { what: "no entry", timeoutMs: 40_000 });
    const { status, version } = await estate.ask(40);
    expect(status).toEqual({ 200: 40 });
    expect(version[host.name]).toBeUndefined();
  },
);

test.skipIf(skip)(
  "their network gets a gateway of its own, on a machine: pods reach the others by it alone, and they still reach services",
  async () => {
    // the last one has no power any more
    const left = estate.hosts.slice(0, -1);
    const edge = await openEdge(estate);
    try {
      const client = await podOf(estate.scenario, NAMESPACE, "client");
      const ways = async (): Promise<readonly string[]> => {
        const table = await estate.cluster.meshctl("proxy-config", "endpoints", `${client.metadata.name}.${NAMESPACE}`);
        const lines = table.split("\n").filter((line) => line.includes(`outbound|80||database.${NAMESPACE}.`));
        return [...new Set(lines.map((line) => line.split(/\s/)[0] ?? ""))];
      };
      await waitFor(async () => (await ways()).join() === edge.place, { what: "the gateway alone", timeoutMs: 60_000 });
      await waitFor(async () => ((await estate.ask(30)).status["200"] ?? 0) === 30, {
        what: "answers through the gateway",
        timeoutMs: 60_000,
      });
      const { status, version } = await estate.ask(90);
      expect(status).toEqual({ 200: 90 });
      expect(Object.keys(version).toSorted()).toEqual(left.map(({ name }) => name).toSorted());
      const [host] = left as [Host];
      expect((await callFrom(host, `http://catalog.${NAMESPACE}/items`)).status).toEqual({ 200: 5 });
    } finally {
      await edge.machine.remove();
    }
  },
);
