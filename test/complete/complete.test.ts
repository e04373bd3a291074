import { expect, test } from "vitest";
import { complete } from "../../src/cli-complete.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";

const named = (kind: string, name: string, more: Partial<KubeObject["metadata"]> = {}): KubeObject => ({
  apiVersion:
    kind === "Deployment" ? "apps/v1" : kind.endsWith("Configuration") ? "admissionregistration.k8s.io/v1" : "v1",
  kind,
  metadata: { name, ...more },
});
const injector = (labels: Record<string, string>): KubeObject =>
  named("MutatingWebhookConfiguration", JSON.stringify(labels), { labels: { app: "sidecar-injector", ...labels } });
const objects = [
  named("Namespace", "shop"),
  named("Namespace", "store"),
  named("Pod", "web-1", { namespace: "shop", annotations: { "sidecar.istio.io/status": "{}" } }),
  named("Pod", "job", { namespace: "default" }),
  named("Deployment", "web", { namespace: "shop" }),
  injector({ "istio.io/rev": "1-0" }),
  injector({ "istio.io/rev": "1-0", "istio.io/tag": "prod" }),
];

/** What is offered for the last word of a line, and the bits; `asked` are the flags of the cluster that was opened. */
async function offered(line: string): Promise<{ list: string[]; bits: string; asked: unknown }> {
  const io = fakeIo();
  let asked: unknown;
  const cluster = (flags: unknown): Promise<ReturnType<typeof fakeCluster>> => {
    asked = flags;
    return Promise.resolve(fakeCluster({ objects }));
  };
  await complete(line.split(" "), { ...io, cluster });
  const list = io.stdout().trimEnd().split("\n");
  const bits = list.pop() ?? "";
  return { list: list.map((each) => each.replace("\t", " | ")), bits, asked };
}

test.each([
  ["-n s", ["shop", "store"]],
  ["-n shop pc clusters w", ["web-1 | has a sidecar"]],
  ["pc c ", ["job"]],
  ["pc c web-1.", ["web-1.shop"]],
  ["inject explain -n shop deploy/", ["deploy/web"]],
  ["install --revision ", ["1-0", "prod | tag of 1-0"]],
])("%s: names out of the cluster", async (line, list) => {
  expect((await offered(line)).list).toEqual(list);
});

test("the cluster that the flags on the line name is asked", async () => {
  expect((await offered("--context eu pc c --kubeconfig=/k w")).asked).toEqual({ context: "eu", kubeconfig: "/k" });
});

test.each([
  ["pr", ["precheck", "profile", "proxy-config", "proxy-status"], ":4"],
  ["x pre", ["precheck"], ":4"],
  ["help profile d", ["diff", "dump"], ":4"],
  ["profile diff demo pro", ["production"], ":4"],
  ["profile diff demo minimal ", [], ":4"],
  ["proxy-status -o j", ["json"], ":4"],
  ["proxy-status -o=j", [], ":4"],
  ["proxy-status --output json --outp", [], ":4"],
  ["analyze --analyzer x --analyz", ["--analyzer"], ":4"],
  ["install -- --pro", [], ":4"],
  ["install --set meshConfig.defaultConfig.holdA", ["meshConfig.defaultConfig.holdApplicationUntilProxyStarts="], ":6"],
  [
    "install --set meshConfig.enablePrometheusMerge=",
    ["meshConfig.enablePrometheusMerge=true", "meshConfig.enablePrometheusMerge=false"],
    ":4",
  ],
  ["explain gtw.listeners.t", ["gtw.listeners.tls"], ":6"],
  ["explain Nothing.at", [], ":4"],
  ["validate -f ", [], ":0"],
  ["manifest generate -o ", [], ":16"],
  ["up --name ", [], ":4"],
  ["nonsense ", [], ":4"],
])("%s", async (line, names, bits) => {
  const found = await offered(line);
  expect(found.list.map((each) => each.split(" | ")[0])).toEqual(names);
  expect(found.bits).toBe(bits);
});

test("a cluster that fails, or never answers, offers nothing and stops nobody", async () => {
  for (const cluster of [() => Promise.reject(new Error("no")), () => new Promise<never>(() => undefined)]) {
    const io = fakeIo();
    await complete(["-n", ""], { ...io, cluster });
    expect(io.stdout()).toBe(":4\n");
  }
});
