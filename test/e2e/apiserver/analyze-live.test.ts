import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../../src/commands/analyze.ts";
import { parse } from "../../../src/cli-parse.ts";
import { openCluster } from "../../../src/kube/cluster.ts";
import type { ListOptions } from "../../../src/resources/cluster.ts";
import { KIND_NAMES, KINDS } from "../../../src/resources/kinds.ts";
import { readManifests } from "../../../src/resources/manifests.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { bigMesh } from "../../../scripts/bench/big-mesh.ts";
import { fakeIo } from "../../support/fake-io.ts";
import { type RealApiServer, startApiServer } from "../../support/kube/apiserver.ts";
import { createRestClient, type RestClient } from "../../support/kube/rest-client.ts";

// A mesh of 5,000 objects at a real kube-apiserver: read in pages, several kinds at a time, within seconds.

const root = join(import.meta.dirname, "../../..");
const shell = promisify(execFile);
const OBJECTS = 5000;
/** What the server takes; mistakes that its own validation refuses stay out. */
const mesh = bigMesh({ objects: OBJECTS, mistakes: 0.01 });
let server: RealApiServer;
let client: RestClient;
let stored = 0;
const refused: string[] = [];

async function kubectl(...args: readonly string[]): Promise<void> {
  await shell(join(server.assets, "kubectl"), ["--kubeconfig", server.kubeconfig, ...args], { maxBuffer: 1 << 26 });
}

function collection({ apiVersion, kind, metadata }: KubeObject): string {
  const name = KIND_NAMES.find((each) => KINDS[each].kind === kind && apiVersion.startsWith(KINDS[each].group));
  if (name === undefined) throw new Error(`no kind ${kind}`);
  const scope = KINDS[name].namespaced ? `/namespaces/${metadata.namespace ?? "default"}` : "";
  return `${apiVersion.includes("/") ? "/apis" : "/api"}/${apiVersion}${scope}/${KINDS[name].plural}`;
}

async function storeAll(objects: readonly KubeObject[]): Promise<void> {
  const left = [...objects];
  const worker = async (): Promise<void> => {
    for (let object = left.shift(); object !== undefined; object = left.shift()) {
      const answer = await client.post(collection(object), object);
      const { message = "" } = answer.body as { readonly message?: string };
      const { status } = answer;
      if (status === 201) stored += 1;
      else refused.push(`${object.kind} ${object.metadata.name}: ${status} ${message.slice(0, 200)}`);
    }
  };
  await Promise.all(Array.from({ length: 24 }, worker));
}

beforeAll(async () => {
  server = await startApiServer();
  client = createRestClient({ url: server.url, ca: server.caPem, token: server.adminToken });
  await kubectl("apply", "--server-side", "-f", join(root, "manifests/base/crds"));
  await kubectl("apply", "--server-side", "-f", join(root, "manifests/gateway-api"));
  await kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s");
  const objects = readManifests([{ file: "mesh", text: mesh.yaml }]).objects.map(({ object }) => object);
  await storeAll(objects.filter(({ kind }) => kind === "Namespace"));
  await storeAll(objects.filter(({ kind }) => kind !== "Namespace"));
  expect(stored, refused.slice(0, 5).join("\n")).toBeGreaterThan(0.95 * OBJECTS);
});
afterAll(async () => {
  client?.close();
  await server?.stop();
});

interface Live {
  readonly exit: number;
  readonly findings: readonly { code: string; kind?: string; namespace?: string; name?: string }[];
  readonly err: string;
  readonly lists: readonly string[];
  readonly most: number;
}

/** `meshctl analyze` in this process, with every list noted. */
async function analyze(line: string, kubeconfig = server.kubeconfig): Promise<Live> {
  const parsed = parse(["analyze", ...line.split(" "), "-o", "json"]);
  if (parsed.type !== "run") throw new Error("no run");
  const lists: string[] = [];
  let open = 0;
  let most = 0;
  const fake = fakeIo();
  const cluster = async (): ReturnType<typeof openCluster> => {
    const real = await openCluster({ kubeconfig, env: {} });
    const list = async (kind: Parameters<typeof real.list>[0], options?: ListOptions): ReturnType<typeof real.list> => {
      lists.push(`${kind.apiVersion} ${kind.kind}`);
      most = Math.max(most, (open += 1));
      return real.list(kind, options).finally(() => (open -= 1));
    };
    return { ...real, list };
  };
  const { exitCode } = await run(parsed.input, { ...fake, cluster });
  return { exit: exitCode, findings: JSON.parse(fake.stdout()) as Live["findings"], err: fake.stderr(), lists, most };
}

test("the whole mesh: within seconds, some kinds at a time, and the planted mistakes are found", async () => {
  const start = performance.now();
  const live = await analyze("-A");
  const seconds = (performance.now() - start) / 1000;
  expect(live.exit).toBe(1);
  expect(seconds).toBeLessThan(15);
  expect(live.most).toBeGreaterThan(1);
  expect(live.most).toBeLessThanOrEqual(6);
  expect(new Set(live.lists).size).toBe(live.lists.length);
  expect(live.err).toMatch(/^- Reading \d+ kinds of cluster .*\n✔ Read \d{4} objects of cluster /);
  const found = new Set(
    live.findings.map(({ code, kind, namespace, name }) => [code, kind, namespace, name].join(" ")),
  );
  // what stands in pods is not judged here: no controller makes any
  const wanted = mesh.planted.filter(({ code }) => ["IST0101", "IST0112", "IST0132", "IST0174"].includes(code));
  const missed = wanted.filter(
    ({ code, kind, namespace, name }) => !found.has([code, kind, namespace, name].join(" ")),
  );
  expect(wanted.length).toBeGreaterThan(10);
  expect(missed.filter(({ kind }) => kind !== "AuthorizationPolicy" && kind !== "Gateway")).toEqual([]);
});

test("the built program tells its progress on stderr, keeps stdout for the report, and memory stays small", async () => {
  const args = ["-A", "-o", "json", "--kubeconfig", server.kubeconfig];
  const child = spawn(process.execPath, [join(root, "bin/meshctl.js"), "analyze", ...args], { stdio: "pipe" });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(code).toBe(1);
  expect((JSON.parse(out) as unknown[]).length).toBeGreaterThan(10);
  expect(err).toContain("✔ Read ");
});

test("one namespace; one that is not there is an error", async () => {
  const { findings } = await analyze("-n team-1");
  const others = findings.filter(
    ({ namespace, kind, name }) => namespace !== "team-1" && `${kind} ${name}` !== "Namespace team-1",
  );
  expect(others).toEqual([]);
  await expect(analyze("-n nobody")).rejects.toThrow('namespace "nobody" not found');
});

test("who may not list a kind gets the rest, and is told what was skipped", async () => {
  const folder = mkdtempSync(join(tmpdir(), "meshctl-live-"));
  try {
    await kubectl("create", "serviceaccount", "reader", "-n", "default");
    await kubectl("create", "clusterrole", "some", "--verb=get,list", "--resource=services,namespaces,configmaps,pods");
    await kubectl("create", "clusterrolebinding", "some", "--clusterrole=some", "--serviceaccount=default:reader");
    const { stdout: token } = await shell(join(server.assets, "kubectl"), [
      "--kubeconfig",
      server.kubeconfig,
      "create",
      "token",
      "reader",
    ]);
    const config = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "c",
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      clusters: [
        {
          name: "c",
          cluster: { server: server.url, "certificate-authority-data": Buffer.from(server.caPem).toString("base64") },
        },
      ],
      users: [{ name: "u", user: { token: token.trim() } }],
    };
    const kubeconfig = join(folder, "kubeconfig");
    writeFileSync(kubeconfig, JSON.stringify(config));
    const live = await analyze("-A", kubeconfig);
    expect(live.err).toContain("may not list virtualservices");
    expect(live.err).toMatch(/Skipped: \d+ analyzers/);
    expect((await analyze("-A --strict", kubeconfig)).exit).toBe(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
