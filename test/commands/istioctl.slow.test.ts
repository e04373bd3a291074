import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Ended, istioctl } from "../support/istioctl/program.ts";
import { INTENDED, WHOLE } from "../support/istioctl/intended.ts";
import { type Rows, rowsOf } from "../support/istioctl/tables.ts";
import { prepareCluster, realEnvoy, type TestCluster } from "../support/local/cluster.ts";

// The real istioctl against our mesh: it works, and says what our command line says, but for what test/support/istioctl/intended.ts
// names with its reason.

const samples = join(import.meta.dirname, "../../samples/getting-started");
let cluster: TestCluster;
let theirs: (...args: readonly string[]) => Promise<Ended>;
const POD = "deploy/hello-v1.hello";
const GATEWAY = "deploy/istio-ingressgateway.istio-system";

beforeAll(async () => {
  cluster = await prepareCluster({ envoy: await realEnvoy() });
  theirs = await istioctl(cluster.kubeconfig);
  await cluster.meshctl("up", "--network", "loopback");
  await cluster.meshctl("install", "--profile", "demo", "-y");
  await cluster.kubectl("create", "namespace", "hello");
  await cluster.kubectl("label", "namespace", "hello", "istio-injection=enabled");
  await cluster.kubectl("apply", "-n", "hello", "-f", samples);
  await cluster.kubectl("wait", "-n", "hello", "--for=condition=Available", "deployment", "--all", "--timeout=120s");
  await cluster.meshctl("proxy-status", "--wait");
}, 1_800_000);
afterAll(async () => {
  await cluster.meshctl("down").catch(() => undefined);
  await cluster.remove();
});

/** Cells without what differs on purpose, in any order of rows. */
function compared(command: string, side: "istioctl" | "ours", rows: Rows): readonly string[] {
  const differences = INTENDED.filter((each) => command.startsWith(each.command));
  return rows
    .map((row) =>
      Object.entries(row)
        .map(([column, cell]) =>
          differences.filter((each) => each.column === column).reduce((text, each) => each[side]?.(text) ?? text, cell),
        )
        .join(" | "),
    )
    .toSorted();
}

const CLUSTERS = ["SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"];
const ENDPOINTS = ["ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"];
const LISTENERS = ["ADDRESSES", "PORT", "MATCH", "DESTINATION"];
const ROUTES = ["NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"];
const SECRETS = ["RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"];

test.each<readonly [args: string, columns: readonly string[]]>([
  [`proxy-config cluster ${POD}`, CLUSTERS],
  [`proxy-config cluster ${POD} --fqdn hello.hello.svc.cluster.local`, CLUSTERS],
  [`proxy-config cluster ${POD} --direction inbound`, CLUSTERS],
  [`proxy-config cluster ${POD} --subset v1`, CLUSTERS],
  [`proxy-config cluster ${POD} --port 80`, CLUSTERS],
  [`proxy-config cluster ${GATEWAY}`, CLUSTERS],
  [`proxy-config endpoint ${POD}`, ENDPOINTS],
  [`proxy-config endpoint ${POD} --status healthy`, ENDPOINTS],
  [`proxy-config endpoint ${POD} --cluster outbound|5678|v1|hello.hello.svc.cluster.local`, ENDPOINTS],
  [`proxy-config eds ${POD}`, ["NAME", "STATUS", "LOCALITY", "CLUSTER"]],
  [`proxy-config listener ${POD}`, LISTENERS],
  [`proxy-config listener ${POD} --port 15021`, LISTENERS],
  [`proxy-config listener ${POD} --type HTTP`, LISTENERS],
  [`proxy-config listener ${POD} --verbose=false`, ["ADDRESSES", "PORT", "TYPE"]],
  [`proxy-config listener ${GATEWAY}`, LISTENERS],
  [`proxy-config route ${POD}`, ROUTES],
  [`proxy-config route ${POD} --name http_proxy`, ROUTES],
  [`proxy-config route ${POD} --verbose=false`, ["NAME", "VIRTUAL HOSTS"]],
  [`proxy-config route ${GATEWAY}`, ROUTES],
  [`proxy-config secret ${POD}`, SECRETS],
  ["tag list", ["TAG", "REVISION", "NAMESPACES"]],
  ["remote-clusters", ["NAME", "SECRET", "STATUS", "ISTIOD", "REVISION"]],
])("%s: the same columns and rows", async (line, columns) => {
  const args = line.split(" ");
  const [their, our] = await Promise.all([theirs(...args), cluster.meshctl(...args)]);
  expect(their, their.err).toMatchObject({ code: 0 });
  const rows = rowsOf(their.out, columns);
  expect(rows).not.toEqual([]);
  const command = args.slice(0, 2).join(" ");
  expect(compared(command, "ours", rowsOf(our, columns))).toEqual(compared(command, "istioctl", rows));
});

test("levels of Envoy's log, RBAC filters and what a webhook makes of a pod: the same lines", async () => {
  for (const line of [`proxy-config log ${POD}`, `x authz check ${POD}`]) {
    const [their, our] = await Promise.all([theirs(...line.split(" ")), cluster.meshctl(...line.split(" "))]);
    const lines = (text: string): readonly string[] =>
      text
        .trim()
        .split("\n")
        .map((each) => each.replace(/\s+/g, " ").trim());
    expect(lines(our).toSorted(), line).toEqual(lines(their.out).toSorted());
  }
  const their = await theirs("x", "check-inject", "-n", "hello", POD);
  expect(their.code).toBe(0);
  // without its colours
  expect(their.out).toMatch(
    /istio-sidecar-injector +default +\S*✔\S* +Namespace label istio-injection=enabled matches/,
  );
});

test("proxy-status: every proxy of ours, in sync; of one proxy what the control plane would send matches what it has", async () => {
  const their = await theirs("proxy-status");
  expect(their, their.err).toMatchObject({ code: 0 });
  const states = JSON.parse(await cluster.meshctl("proxy-status", "-o", "json")) as readonly Readonly<
    Record<"name" | "namespace" | "cluster" | "istiod" | "version", string>
  >[];
  const columns = ["NAME", "CLUSTER", "ISTIOD", "VERSION", "SUBSCRIBED TYPES"];
  const rows = rowsOf(their.out, columns);
  expect(rows.map((row) => columns.slice(0, 4).map((column) => row[column]))).toEqual(
    states
      .map(({ name, namespace, cluster: of, istiod, version }) => [`${name}.${namespace}`, of, istiod, version])
      .toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1)),
  );
  const verbose = await theirs("proxy-status", "-v", "1");
  expect(verbose.out).not.toMatch(/STALE|ERROR/);
  expect(verbose.out.match(/SYNCED/g)?.length ?? 0).toBeGreaterThan(2 * rows.length);
  const of = rows.find(({ NAME = "" }) => NAME.startsWith("hello-v1"))?.["NAME"] ?? "";
  const diff = await theirs("proxy-status", of);
  expect(diff.out).toMatch(/^Clusters Match\nListeners Match\nRoutes Match/);
});

test("version, analyze and internal-debug say the same", async () => {
  const version = await theirs("version");
  const own = await cluster.meshctl("version");
  expect(version.out.split("\n").slice(1)).toEqual(own.split("\n").slice(1));
  const heads = (text: string): readonly string[] => (text.match(/^\w+ \[\w+\] \([^)]*\)/gm) ?? []).toSorted();
  const [their, our] = [await theirs("analyze", "-A"), await cluster.meshctl("analyze", "-A")];
  expect(heads(their.out)).not.toEqual([]);
  // a namespace in which nothing runs is none of ours' business
  expect(heads(our)).toEqual(heads(their.out).filter((head) => head !== "Info [IST0102] (Namespace default)"));
  for (const question of ["list", "syncz", "clusterz", "registryz", "connections"]) {
    const [asked, said] = [
      await theirs("x", "internal-debug", question),
      await cluster.meshctl("x", "internal-debug", question),
    ];
    expect(asked, asked.err).toMatchObject({ code: 0 });
    expect(JSON.parse(asked.out), question).toEqual(JSON.parse(said));
  }
});

test("describe: the objects that ours names", async () => {
  const pod = (await cluster.kubectl("get", "pods", "-n", "hello", "-l", "version=v1", "-o", "name")).replace(
    "pod/",
    "",
  );
  const named = `${pod}.hello`;
  const [their, our] = [await theirs("x", "describe", "pod", named), await cluster.meshctl("describe", "pod", named)];
  expect(their, their.err).toMatchObject({ code: 0 });
  expect(their.out).not.toContain("NOT READY");
  for (const word of ["hello.hello", "STRICT", "Matching subsets: v1", "hello-outside"])
    expect(their.out).toContain(word);
  for (const word of ["hello/hello", "STRICT", "Subset v1", "hello-outside"]) expect(our).toContain(word);
});

test("the guide lists every intended difference", async () => {
  const guide = await readFile(join(import.meta.dirname, "../../docs/guides/istioctl.md"), "utf8");
  for (const command of [...INTENDED.map((each) => each.command), ...Object.keys(WHOLE)])
    expect(guide).toContain(`\`${command}\``);
});
