import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { run } from "../../src/commands/analyze.ts";
import { parse } from "../../src/cli-parse.ts";
import type { Cluster } from "../../src/resources/cluster.ts";
import { readManifests } from "../../src/resources/manifests.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { type FakeIo, fakeIo } from "../support/fake-io.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A folder with files. */
function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "meshctl-analyze-"));
  folders.push(folder);
  write(folder, files);
  return folder;
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

interface Outcome {
  readonly exit: number;
  readonly codes: readonly string[];
  readonly out: string;
  readonly err: string;
  readonly findings: readonly { code: string; origin?: string; cluster?: string; line?: number }[];
}

type IoOptions = Parameters<typeof fakeIo>[0] & { readonly clusters?: Readonly<Record<string, Cluster>> };

/** Runs a command line of `analyze`, as the program reads it; `-o json` unless it says another. */
async function analyze(line: string, { clusters, ...options }: IoOptions = {}): Promise<Outcome> {
  const words = (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ""));
  const parsed = parse(["analyze", ...words, ...(words.includes("-o") ? [] : ["-o", "json"])]);
  if (parsed.type !== "run") throw new Error("no run");
  const fake = fakeIo(options);
  const io: FakeIo = clusters === undefined ? fake : { ...fake, cluster: (name = "main") => named(clusters, name) };
  const { exitCode } = await run(parsed.input, io);
  const out = io.stdout();
  const findings = out.startsWith("[") ? (JSON.parse(out) as Outcome["findings"]) : [];
  return { exit: exitCode, codes: findings.map(({ code }) => code), out, err: io.stderr(), findings };
}

function named(clusters: Readonly<Record<string, Cluster>>, name: string): Promise<Cluster> {
  const cluster = clusters[name];
  return cluster === undefined ? Promise.reject(new Error(`no cluster ${name}`)) : Promise.resolve(cluster);
}

const SERVICE = `apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ name: http, port: 80 }] }
`;

/** Names a host that is not there, on line 11. */
const broken = (comment = "", name = "web"): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: ${name}
  namespace: shop
spec:
  hosts: [${name}]
  http:
    - route:
        - destination:
            host: wbe${comment}
`;
const BROKEN = `${SERVICE}---\n${broken()}`;

const objectsOf = (text: string) => readManifests([{ file: "x", text }]).objects.map(({ object }) => object);

test("offline opens no kubeconfig, whatever flags say it", async () => {
  const cwd = folderOf({ "mesh.yaml": BROKEN });
  const cluster = (): never => {
    throw new Error("the trap: a cluster was opened");
  };
  for (const flag of ["--offline", "--use-kube=false", "-k=false", "--only-files"]) {
    const io = { ...fakeIo({ cwd }), cluster };
    const parsed = parse(["analyze", flag, "mesh.yaml"]);
    expect(parsed.type === "run" && (await run(parsed.input, io)).exitCode, flag).toBe(1);
  }
});

test("a comment suppresses what it stands at, a flag or annotation too; the exit code follows", async () => {
  const at = async (text: string, flags = ""): Promise<Outcome> =>
    analyze(`--offline - ${flags}`, { stdin: `${SERVICE}---\n${text}` });
  expect(await at(broken())).toMatchObject({ codes: ["IST0101"], exit: 1 });
  expect(await at(broken(" # meshctl:ignore IST0101 it comes later"))).toMatchObject({ codes: [], exit: 0 });
  expect((await at(`# meshctl:ignore IST0101,IST0132 the whole document\n${broken()}`)).codes).toEqual([]);
  expect((await at(broken().replace("  http:", "  # meshctl:ignore IST0101 below\n  http:"))).codes).toEqual([]);
  expect((await at(broken().replace("  hosts:", "  # meshctl:ignore IST0101 elsewhere\n  hosts:"))).codes).toEqual([
    "IST0101",
    "MSH0010",
  ]);
  for (const rule of ["IST0101=VirtualService shop/*", "IST0101=VirtualService web.shop", "IST0101", "IST0101=*"])
    expect((await at(broken(), `-S '${rule}'`)).codes, rule).toEqual([]);
  expect(await at(broken(), "-S 'IST0101=VirtualService shop/other'")).toMatchObject({
    codes: ["IST0101", "MSH0010"],
    exit: 1,
  });
  expect((await at(broken(), "-S IST9999")).err).toContain("'IST9999' is an unknown message code");
  const annotated = (codes: string): string =>
    broken().replace("  name: web", `  annotations: { galley.istio.io/analyze-suppress: "${codes}" }\n  name: web`);
  for (const codes of ["IST0101", "IST0132, IST0101", "*"])
    expect((await at(annotated(codes))).codes, codes).not.toContain("IST0101");
});

test("a suppression counts up to its last day and is told afterwards", async () => {
  const text = `${SERVICE}---\n${broken(" # meshctl:ignore IST0101 soon until 2026-11-30")}`;
  const on = async (day: string): Promise<readonly string[]> =>
    (await analyze("--offline -", { stdin: text, now: () => new Date(`${day}T12:00:00Z`) })).codes;
  expect(await on("2026-11-30")).toEqual([]);
  expect(await on("2026-12-01")).toEqual(["IST0101", "MSH0011"]);
});

test("a baseline holds what is known, however lines move; what is new counts, what is gone is told", async () => {
  const cwd = folderOf({ "mesh.yaml": BROKEN });
  expect((await analyze("--offline mesh.yaml --write-baseline", { cwd })).exit).toBe(0);
  write(cwd, { "mesh.yaml": `# moved\n\n${BROKEN}` });
  const known = await analyze("--offline mesh.yaml --baseline .meshctl-baseline.json", { cwd });
  expect(known).toMatchObject({ codes: [], exit: 0 });
  expect(known.err).toContain("0 introduced, 0 fixed, 1 unchanged");
  write(cwd, { "mesh.yaml": `${SERVICE}---\n${broken("", "again")}` });
  const changed = await analyze("--offline mesh.yaml --baseline .meshctl-baseline.json", { cwd });
  expect(changed).toMatchObject({ codes: ["IST0101"], exit: 1 });
  expect(changed.err).toContain("1 introduced, 1 fixed, 0 unchanged");
  await expect(analyze("--offline mesh.yaml --baseline none.json", { cwd })).rejects.toThrow("none.json");
});

test("--new-since compares with the files at a git revision, from a subfolder too", async () => {
  const cwd = folderOf({ "deploy/mesh/web.yaml": BROKEN, "deploy/mesh/.hidden/x.yaml": "a: [", "notes.yaml": "a: [" });
  const git = (...args: string[]): void =>
    void execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...args], { cwd, stdio: "ignore" });
  git("init", "-q", "-b", "main");
  git("add", "-A");
  git("commit", "-q", "-m", "first");
  write(cwd, { "deploy/mesh/web.yaml": `# moved\n${BROKEN}---\n${broken("", "second")}` });
  const env = process.env;
  for (const [folder, name] of [
    [cwd, "deploy"],
    [join(cwd, "deploy"), "mesh"],
    [join(cwd, "deploy/mesh"), "."],
    [join(cwd, "deploy/mesh"), "web.yaml"],
  ] as const) {
    const outcome = await analyze(`--offline ${name} --new-since main`, { cwd: folder, env });
    expect(
      outcome.findings.map(({ origin }) => origin),
      name,
    ).toEqual(["VirtualService shop/second"]);
    expect(outcome.exit).toBe(1);
    expect(outcome.err).toContain("Since main: 1 introduced, 0 fixed, 1 unchanged");
  }
  write(cwd, { "deploy/mesh/web.yaml": SERVICE });
  const better = await analyze("--offline deploy --new-since main", { cwd, env });
  expect(better).toMatchObject({ codes: [], exit: 0 });
  expect(better.err).toContain("0 introduced, 1 fixed, 0 unchanged");
  await expect(analyze("--offline deploy --new-since nowhere", { cwd, env })).rejects.toThrow("no revision nowhere");
  await expect(analyze("--offline - --new-since main", { cwd, env })).rejects.toThrow("--new-since");
});

test("the project file is found upward to the repository's root; flags come before it; mistakes in it have places", async () => {
  const project = `paths: [mesh]
exclude: [mesh/old]
failureThreshold: Warning
suppressions:
  - { code: IST0101, object: "VirtualService shop/*", path: "mesh/*", reason: made elsewhere }
`;
  const cwd = folderOf({
    ".meshctl.yaml": project,
    ".git/HEAD": "",
    "mesh/web.yaml": BROKEN,
    "mesh/old/bad.yaml": "a: [",
    "sub/x": "",
  });
  expect(await analyze("--offline", { cwd })).toMatchObject({ codes: [], exit: 0 });
  expect(await analyze("--offline", { cwd: join(cwd, "sub") })).toMatchObject({ codes: [], exit: 0 });
  expect(await analyze("--offline --no-config mesh/web.yaml", { cwd })).toMatchObject({ codes: ["IST0101"], exit: 1 });
  write(cwd, { ".meshctl.yaml": project.replace("reason: made elsewhere", "until: soon").replace("paths", "path") });
  const wrong = analyze("--offline mesh", { cwd });
  await expect(wrong).rejects.toThrow(/^\.meshctl\.yaml:1:1: project has no field path/);
  await expect(wrong).rejects.toThrow(/\.meshctl\.yaml:5:\d+: .*reason is missing/);
  await expect(wrong).rejects.toThrow(/until: expected a date/);
});

test("thresholds decide apart from each other what is printed and what fails", async () => {
  const unused = { stdin: `${SERVICE}# meshctl:ignore IST0101 nothing\n` };
  expect(await analyze("--offline -", unused)).toMatchObject({ codes: ["MSH0010"], exit: 0 });
  expect(await analyze("--offline - --failure-threshold Info", unused)).toMatchObject({ exit: 1 });
  expect(await analyze("--offline - --failure-threshold info --output-threshold Error", unused)).toMatchObject({
    codes: [],
    exit: 1,
  });
  await expect(analyze("--offline - --failure-threshold Never", unused)).rejects.toThrow("Never");
});

test("--ignore-unknown passes over what cannot be read; without it the exit code is 2", async () => {
  const stdin = `${SERVICE}---\na: [\n---\nnot: an object\n`;
  expect(await analyze("--offline -", { stdin })).toMatchObject({ exit: 2 });
  expect(await analyze("--offline - --ignore-unknown", { stdin })).toMatchObject({ codes: [], exit: 0 });
});

test("--analyzer takes our names and istioctl's; -L lists them; an unknown name is an error with the nearest", async () => {
  const only = async (name: string): Promise<readonly string[]> =>
    (await analyze(`--offline - --analyzer ${name}`, { stdin: BROKEN })).codes;
  expect(await only("virtualservice-destination")).toEqual(["IST0101"]);
  expect(await only("virtualservice.DestinationHostAnalyzer")).toEqual(["IST0101"]);
  expect(await only("telemetry-provider")).toEqual([]);
  await expect(only("virtualservice-destinatoin")).rejects.toMatchObject({
    hint: expect.stringContaining("virtualservice-destination") as string,
  });
  expect((await analyze("-L")).out).toMatch(/^\* virtualservice-destination:\n {4}Checks/m);
});

test("mesh configuration and cluster domain from flags", async () => {
  const text = `${SERVICE}---\n${broken().replace("wbe", "web.shop.svc.mesh.internal")}`;
  expect((await analyze("--offline - --complete", { stdin: text })).codes).toEqual(["IST0101"]);
  expect((await analyze("--offline - --complete --cluster-domain mesh.internal", { stdin: text })).codes).toEqual([]);
  const told = `apiVersion: v1
kind: ConfigMap
metadata: { name: istio-sidecar-injector, namespace: istio-system }
data:
  values: |
    global: { proxy: { clusterDomain: mesh.internal } }
`;
  expect((await analyze("--offline - --complete", { stdin: `${text}---\n${told}` })).codes).toEqual([]);
  const cwd = folderOf({ "mesh.txt": "accessLogFil: /dev/stdout\n" });
  const configured = await analyze("--offline - --meshConfigFile mesh.txt", { cwd, stdin: SERVICE });
  expect(configured.codes).toEqual(["IST0106"]);
  expect(configured.out).toContain("accessLogFile");
  await expect(analyze("--offline - --meshConfigFile none", { cwd, stdin: SERVICE })).rejects.toThrow("none");
});

test("--revision leaves out what is for other revisions", async () => {
  const ofOld = BROKEN.replace("  name: web\n  namespace", "  name: web\n  labels: { istio.io/rev: old }\n  namespace");
  expect((await analyze("--offline - --revision new", { stdin: ofOld })).codes).toEqual([]);
  expect((await analyze("--offline - --revision old", { stdin: ofOld })).codes).toEqual(["IST0101"]);
});

test("files lie on top of the cluster; pods of a workload that the files bring anew are those of its template", async () => {
  const cluster = fakeCluster({ objects: objectsOf(SERVICE) });
  const fixed = broken().replace("wbe", "web");
  expect(await analyze("- ", { stdin: fixed, cluster })).toMatchObject({ codes: [], exit: 0 });
  expect(await analyze("- ", { stdin: broken(), cluster })).toMatchObject({ codes: ["IST0101"], exit: 1 });
  const live = fakeCluster({ objects: objectsOf(BROKEN) });
  expect((await analyze("-n shop", { cluster: live }).catch(() => undefined))?.codes).toBeUndefined();
  const whole = fakeCluster({
    objects: [...objectsOf(BROKEN), ...objectsOf("apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n")],
  });
  expect(await analyze("-n shop", { cluster: whole })).toMatchObject({ exit: 1 });
  expect((await analyze("-n shop", { cluster: whole })).codes).toContain("IST0101");
});

test("a kind that may not be listed skips the analyzers that need it, by name; --strict fails on it", async () => {
  const namespace = "apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { istio-injection: enabled } }\n";
  const cluster = fakeCluster({ objects: objectsOf(`${SERVICE}---\n${namespace}`), unlisted: ["Service"] });
  const outcome = await analyze("-A", { cluster });
  expect(outcome.exit).toBe(0);
  expect(outcome.err).toMatch(/Skipped: \d+ analyzers \(may not list services: .*virtualservice-destination/);
  expect((await analyze("-A --strict", { cluster })).exit).toBe(1);
  for (const format of ["junit", "github", "gitlab", "markdown", "sarif"])
    expect((await analyze(`-A -o ${format}`, { cluster })).out, format).toContain("virtualservice-destination");
  const unserved = fakeCluster({ objects: objectsOf(`${SERVICE}---\n${namespace}`), unserved: ["Telemetry"] });
  const without = await analyze("-A --strict -v", { cluster: unserved });
  expect(without.err).toContain("Kinds that cluster fake does not have:\n  * Telemetry\n");
  expect(without.exit).toBe(0);
});

test("several clusters: each finding names its own", async () => {
  const clusters = {
    main: fakeCluster({ name: "main", objects: objectsOf(SERVICE) }),
    east: fakeCluster({ name: "east", objects: objectsOf(BROKEN) }),
  };
  const outcome = await analyze("-A --remote-contexts east", { clusters });
  const found = outcome.findings.filter(({ code }) => code === "IST0101");
  expect(found.map(({ cluster }) => cluster)).toEqual(["east"]);
  expect((await analyze("-A --contexts main,east", { clusters })).codes).toEqual(outcome.codes);
  await expect(analyze("-A --contexts main,main", { clusters })).rejects.toThrow("twice");
});

test("what is not read in time is skipped and told", async () => {
  const slow = fakeCluster({ objects: objectsOf(SERVICE) });
  const never: Cluster = {
    ...slow,
    list: (kind, options) =>
      kind.kind === "Service"
        ? new Promise((_resolve, reject) => {
            options?.signal?.addEventListener("abort", () => reject(new Error("aborted")));
          })
        : slow.list(kind, options),
  };
  const outcome = await analyze("-A --timeout 50ms", { cluster: never });
  expect(outcome.err).toContain("not read within 0.05 s");
  expect((await analyze("-A --timeout 50ms --strict", { cluster: never })).exit).toBe(1);
});

test("-v tells what was analyzed, by whom, and by whom not", async () => {
  const { err } = await analyze("--offline - -v", { stdin: SERVICE });
  expect(err).toMatch(/^Analyzed 1 objects: -\nExecuted analyzers:\n {2}\* /);
});

test("--watch analyzes again when a file changes and ends with the last exit code", async () => {
  const cwd = folderOf({ "mesh/web.yaml": SERVICE });
  const abort = new AbortController();
  const heard: string[] = [];
  let hear = (): void => undefined;
  const said = (words: string): Promise<void> =>
    new Promise((resolve) => {
      hear = () => heard.join("").includes(words) && resolve();
      hear();
    });
  const io: FakeIo = {
    ...fakeIo({ cwd, signal: abort.signal }),
    err: (text) => {
      heard.push(text);
      hear();
    },
  };
  const parsed = parse(["analyze", "--offline", "--watch", "mesh"]);
  if (parsed.type !== "run") throw new Error("no run");
  const done = run(parsed.input, io);
  await said("Watching for changes");
  heard.length = 0;
  write(cwd, { "mesh/web.yaml": BROKEN });
  await said("Analyzers found issues");
  await said("Watching for changes");
  abort.abort();
  expect(await done).toMatchObject({ exitCode: 1 });
  expect(io.stdout()).toContain("IST0101");
  expect(readFileSync(join(cwd, "mesh/web.yaml"), "utf8")).toBe(BROKEN);
});
