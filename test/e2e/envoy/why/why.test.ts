import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run as traceRoute } from "../../../../src/commands/trace-route.ts";
import type { Trace } from "../../../../src/commands/trace/types.ts";
import { run, type WhyResult } from "../../../../src/commands/why.ts";
import { CHANGES_PATH, SYNC_PATH } from "../../../../src/commands/why/control-plane.ts";
import { createRoot } from "../../../../src/pki/ca.ts";
import type { Cluster } from "../../../../src/resources/cluster.ts";
import { fakeIo } from "../../../support/fake-io.ts";
import {
  certificateFolder,
  rateLimitObjects,
  removeFolders,
  replicaAddresses,
  startReplica,
} from "../../../support/ratelimit/replicas.ts";
import { type Lab, startLab } from "../../../support/traffic/lab.ts";
import { caseObjects } from "../../../support/traffic/mesh-objects.ts";
import { waitFor } from "../../../support/wait.ts";
import { readWhyCases, type WhyCase } from "../../../support/why/case.ts";
import { labCluster } from "../../../support/why/cluster.ts";
import { startOddApplications, startSilence } from "../../../support/why/odd-applications.ts";
import { sendRequest } from "../../../support/why/send.ts";

// Causes of failure, set up for real: one mesh of real Envoys, in which each case below cases/ breaks something of its own. Its
// request fails, and `meshctl why` is given what the access log says of it (or the pod, or the URL), and nothing else.
// WHY=text runs the cases whose name has it.
const cases = readWhyCases(join(import.meta.dirname, "cases"));
/** Cases that may be told wrong: none. */
const LEAST = cases.length;

const HOUR = 3_600_000;
const answers = new Map<string, WhyResult | string>();
let lab: Lab;
const started: { close(): void }[] = [];

beforeAll(async () => {
  const traffic = cases.filter((item) => !item.comesLate).map((item) => item.traffic);
  lab = await startLab(traffic, { accessLogFile: "/dev/stdout" });
  started.push(await startOddApplications(`${lab.places.guard}.0.2`, `${lab.places.guard}.0.3`), await startSilence());
  if (cases.some(({ name }) => name === "global-limit")) await startLimits();
  const [late, early] = [cases.filter((item) => item.late), cases.filter((item) => !item.late)];
  await explainAll(early);
  await traceAll();
  if (late.length === 0) return;
  const now = Date.now();
  const validity = { notBefore: new Date(now - 2 * HOUR), notAfter: new Date(now - HOUR) };
  await changed("v1", lab.proxies.v1.identify({ ca: lab.plane.ca, validity }));
  await changed("v2", lab.proxies.v2.identify({ ca: await createRoot("cluster.local", lab.plane.validity) }));
  for (const [index, item] of late.filter((one) => one.comesLate).entries())
    await brought(item, traffic.length + index);
  await explainAll(late);
}, 180_000);
afterAll(async () => {
  for (const one of started) one.close();
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
  await lab?.stop();
});

/** The service that counts for the whole mesh, as a process, and its objects. */
async function startLimits(): Promise<void> {
  const addresses = replicaAddresses(1);
  const certificates = await certificateFolder(lab.plane.ca, lab.plane.validity);
  const [address = ""] = addresses;
  const replica = await startReplica(address, { peers: addresses, folder: certificates });
  started.push({
    close() {
      void replica.kill("SIGKILL");
      removeFolders([certificates]);
    },
  });
  const objects = rateLimitObjects(addresses);
  lab.plane.state.world.apply(objects.map((object) => ({ type: "set", object })));
  const isThere = async (): Promise<boolean> =>
    (await lab.proxies.guard.admin("/clusters")).includes(`|ratelimit.istio-system.svc.cluster.local::${address}`);
  await waitFor(isThere, { what: "the guard to know the service of limits", timeoutMs: 20_000 });
}

/** Brings the objects of a case whose configuration is refused, and waits for the refusal. */
async function brought({ traffic, name }: WhyCase, index: number): Promise<void> {
  const objects = caseObjects(traffic, index, lab.places);
  lab.plane.state.world.apply(objects.map((object) => ({ type: "set", object })));
  await waitFor(() => lab.plane.problems.some((words) => words.includes(name)), { what: `${name} to be refused` });
}

/** Live walks by name, of requests that are well or refused. */
const walks: Readonly<Record<string, { readonly from: string; readonly url: string }>> = {
  delivered: { from: "client.traffic", url: "http://echo.rbac-deny.svc.cluster.local/open" },
  refused: { from: "client.traffic", url: "http://echo.rbac-deny.svc.cluster.local/closed" },
  answered: { from: "client.traffic", url: "http://echo.direct-response.svc.cluster.local/" },
  "no route": { from: "client.traffic", url: "http://echo.no-route.svc.cluster.local/other" },
  gateway: { from: "gateway.traffic", url: "https://web.gateway-sni.example.com:446/" },
};
const traces = new Map<string, { readonly live: Trace; readonly dumped: Trace }>();
let folder = "";

/** The same requests live, and walked through dumps of the proxies of both ends. */
async function traceAll(): Promise<void> {
  if (process.env["WHY"] !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), "why-dumps-"));
  const file = (name: string): string => join(folder, `${name}.json`);
  for (const name of ["client", "gateway", "guard", "v1"] as const)
    writeFileSync(file(name), await lab.proxies[name].admin("/config_dump?include_eds"));
  const cluster = labCluster(lab, {});
  const one = async ([name, { from, url }]: readonly [string, (typeof walks)[string]]): Promise<void> => {
    const [client = ""] = from.split(".");
    const live = { args: [url], options: { from, live: true, output: "json" } };
    const dumped = { args: [url], options: { filename: [client, "guard", "v1"].map(file), output: "json" } };
    const io = (): ReturnType<typeof fakeIo> => fakeIo({ cluster, now: () => new Date() });
    traces.set(name, { live: (await traceRoute(live, io())).trace, dumped: (await traceRoute(dumped, io())).trace });
  };
  await Promise.all(Object.entries(walks).map(one));
}

/** Waits until a proxy shows its new certificate. */
async function changed(name: "v1" | "v2", chain: Promise<string>): Promise<void> {
  const { serialNumber } = new X509Certificate(await chain);
  const serial = serialNumber.toLowerCase().replace(/^0+/, "");
  const shows = async (): Promise<boolean> => (await lab.proxies[name].admin("/certs")).includes(serial);
  await waitFor(shows, { what: `${name} to show its new certificate` });
}

/** Sends what the cases ask, waits for their lines, and asks `why` of each. */
async function explainAll(items: readonly WhyCase[]): Promise<void> {
  await Promise.all(items.map((item) => sendRequest(lab, item)));
  const given = await Promise.all(items.map(givenFor));
  const sync = (): unknown => [...lab.plane.streams].map((stream) => stream.status());
  const cluster = labCluster(lab, { [SYNC_PATH]: sync, [CHANGES_PATH]: () => [] });
  for (const [index, item] of items.entries()) answers.set(item.name, await whyOf(cluster, item, given[index] ?? ""));
}

/** What `why` is asked: the URL, the pod, or the line that the proxy wrote. */
async function givenFor({ name, ask, pod, at, line }: WhyCase): Promise<string> {
  if (ask !== undefined || pod !== undefined) return ask ?? pod ?? "";
  const proxy = lab.proxies[at as keyof Lab["proxies"]];
  const find = (): string | undefined =>
    proxy
      .log()
      .split("\n")
      .findLast((text) => /^\[\d{4}-\d\d-\d\dT/.test(text) && line.every((wanted) => wanted.test(text)));
  return waitFor(find, { what: `a line of ${name} in the log of ${at}`, timeoutMs: 20_000 }).catch(() => "");
}

async function whyOf(cluster: Cluster, item: WhyCase, given: string): Promise<WhyResult | string> {
  if (given === "") return "no line";
  const { namespace = "traffic" } =
    lab.plane.state.world.list("Pod").find(({ metadata }) => metadata.name === item.at)?.metadata ?? {};
  const io = fakeIo({ cluster, now: () => new Date() });
  const writer = `${item.at}.${namespace}`;
  try {
    return await run({ args: [given], options: { pod: writer, from: writer, output: "json" } }, io);
  } catch (error) {
    return String(error);
  }
}

/** Of a pod with several failures the one that the case is about. */
function explainedOf({ explained }: WhyResult, cause: string): WhyResult["explained"][number] | undefined {
  return explained.find(({ causes }) => causes[0]?.code === cause) ?? explained[0];
}

function verdict({ name, why }: WhyCase): { readonly name: string; readonly problems: readonly string[] } {
  const answer = answers.get(name);
  if (answer === undefined || typeof answer === "string") return { name, problems: [answer ?? "not asked"] };
  const first = explainedOf(answer, why.cause);
  const [cause] = first?.causes ?? [];
  if (cause === undefined) return { name, problems: [`no cause: ${first?.symptom.text ?? "nothing failed"}`] };
  const { code, object, field = "" } = cause;
  const same = (what: string, got: string, wanted: string | undefined): readonly string[] =>
    wanted === undefined || got === wanted ? [] : [`${what} is ${got}, expected ${wanted}`];
  return {
    name,
    problems: [
      ...same("cause", code, why.cause),
      ...same("object", object, why.object),
      ...same("field", field, why.field),
    ],
  };
}

describe("why", () => {
  test.each(cases)("$name", (item) => {
    expect(verdict(item).problems).toEqual([]);
  });
});

describe.skipIf(process.env["WHY"] !== undefined)("trace-route", () => {
  test.each([
    ["delivered", "delivered to guard.guarded", 200, ["client.traffic", "guard.guarded"]],
    ["refused", "refused by guard.guarded: 403", 403, ["client.traffic", "guard.guarded"]],
    ["answered", "answered with 503 and 6 characters", 503, ["client.traffic"]],
    ["no route", "no route takes the request: 404 (NR)", 404, ["client.traffic"]],
    ["gateway", "delivered to v1.servers", 200, ["gateway.traffic", "v1.servers"]],
  ] as const)("live: %s", (name, ends, status, proxies) => {
    const walked = traces.get(name)?.live;
    expect(walked?.ends.text).toBe(ends);
    expect(walked?.live).toMatchObject({ status, agrees: true, differences: [] });
    expect(walked?.live?.lines.map(({ proxy }) => proxy)).toEqual(proxies);
  });

  test.each(Object.keys(walks))("from dumps of both proxies: %s", (name) => {
    const { live, dumped } = traces.get(name)!;
    const chosen = ({ steps, branches }: Trace): readonly string[] =>
      [...steps, ...branches.flatMap((branch) => branch.steps)].map(
        ({ step, proxy, chosen: is }) => `${step} ${proxy} ${is}`,
      );
    expect(chosen(dumped)).toEqual(chosen(live));
    expect(dumped.ends).toEqual(live.ends);
  });
});

test("the table of all", () => {
  const rows = cases.map((item) => {
    const answer = answers.get(item.name);
    const cause = typeof answer === "object" ? explainedOf(answer, item.why.cause)?.causes[0] : undefined;
    const { problems } = verdict(item);
    const said =
      cause === undefined ? "nothing" : `${cause.code} (${cause.certainty}) ${cause.object} ${cause.field ?? ""}`;
    return problems.length === 0 ? `ok ${item.name}: ${said}` : `NOT ${item.name}: ${said} [${problems.join("; ")}]`;
  });
  process.stdout.write(`${rows.join("\n")}\n`);
  expect(rows.filter((row) => row.startsWith("ok ")).length).toBeGreaterThanOrEqual(LEAST);
});
