import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mergeKubeconfig, unmergeKubeconfig } from "../../src/local/kubeconfig.ts";
import { commandLine, parseMapping, repositoryOf, resolveImage } from "../../src/local/node/images.ts";
import { ContainerLog } from "../../src/local/node/log.ts";
import { overwrite } from "../../src/local/node/network/hosts.ts";
import { runProber } from "../../src/local/node/prober.ts";
import { claimState, identify, isAlive, readState, removeStateDir, writeState } from "../../src/local/state.ts";
import { selects } from "../../src/local/selector.ts";

test("an image is known by its repository, whatever the tag", () => {
  expect(repositoryOf("docker.io/meshctl/proxy:0.1.0@sha256:ab")).toBe("meshctl/proxy");
  expect(repositoryOf("docker.io/library/nginx")).toBe("nginx");
  expect(repositoryOf("localhost:5000/a/b:1")).toBe("localhost:5000/a/b");
  expect(resolveImage("docker.io/meshctl/meshd:9", new Map()).entrypoint).toEqual(["node", "bin/meshd.js"]);
});

test("a mapping goes before our own images, and runs with the user's rights", () => {
  const map = new Map([["meshctl/samples", "node /src/app.mjs"]]);
  const image = resolveImage("docker.io/meshctl/samples:1", map);
  expect(image).toMatchObject({ uid: undefined, standIn: false });
  const place = { ends: false, realPort: (port: number): number => port };
  expect(commandLine({ name: "c", args: ["-x"] }, image, place)).toEqual([
    "sh",
    "-c",
    'exec node /src/app.mjs "$@"',
    "sh",
    "-x",
  ]);
  expect(parseMapping("a=b=c")).toEqual(["a", "b=c"]);
  expect(parseMapping("ab")).toBeUndefined();
});

test("what an unknown image would run is not run: it echoes, or ends where an end is expected", () => {
  const image = resolveImage("evil/thing:1", new Map());
  const container = { name: "c", image: "evil/thing:1", command: ["rm", "-rf", "/"], ports: [{ containerPort: 80 }] };
  const place = { ends: false, realPort: (port: number): number => port + 10000 };
  expect(image.standIn).toBe(true);
  expect(commandLine(container, image, place)).toEqual([
    "node",
    "samples/app/echo.mjs",
    "-listen=:10080",
    "-text=stand-in for evil/thing:1",
  ]);
  expect(commandLine(container, image, { ...place, ends: true })).toEqual(["echo", "stand-in for evil/thing:1"]);
});

async function text(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

test("a log is read whole, by its tail, with times, and followed to its end", async () => {
  const log = new ContainerLog(() => new Date(0));
  const never = new AbortController().signal;
  const query = { follow: false, tailLines: undefined, timestamps: false };
  log.append(Buffer.from("one\ntw"));
  log.append(Buffer.from("o\nthree"));
  expect(await text(log.read(query, never))).toBe("one\ntwo\n");
  expect(await text(log.read({ ...query, tailLines: 1 }, never))).toBe("two\n");
  expect(await text(log.read({ ...query, timestamps: true, tailLines: 1 }, never))).toBe(
    "1970-01-01T00:00:00.000000000Z two\n",
  );
  expect(await text(log.read({ ...query, since: 0, tailLines: 1 }, never))).toBe("two\n");
  expect(await text(log.read({ ...query, since: 1 }, never))).toBe("");
  const followed = text(log.read({ ...query, follow: true }, never));
  setImmediate(() => {
    log.append(Buffer.from("!\nfour\n"));
    log.end();
  });
  expect(await followed).toBe("one\ntwo\nthree!\nfour\n");
});

test("a log keeps its newest part", async () => {
  const log = new ContainerLog(() => new Date(0));
  for (let line = 0; line < 100_000; line++) log.append(Buffer.from(`${String(line).padStart(99, ".")}\n`));
  const kept = await text(
    log.read({ follow: false, tailLines: undefined, timestamps: false }, new AbortController().signal),
  );
  expect(kept.length).toBeLessThanOrEqual(4 * 1024 * 1024);
  expect(kept.length).toBeGreaterThan(4 * 1024 * 1024 - 200);
  expect(kept.endsWith("99999\n")).toBe(true);
});

test("an eager probe asks fast until it succeeds, but counts failures by the period", async () => {
  const stop = new AbortController();
  let asked = 0;
  const failures: string[] = [];
  let began = 0;
  await runProber({
    probe: { periodSeconds: 1, failureThreshold: 1000 },
    eager: true,
    ask: () => {
      began ||= performance.now();
      return Promise.resolve(++asked < 4 ? "not yet" : undefined);
    },
    onSuccess: () => {
      stop.abort();
    },
    onFailure: (message) => failures.push(message),
    signal: stop.signal,
  });
  expect(asked).toBe(4);
  expect(performance.now() - began).toBeLessThan(900);
  expect(failures).toEqual([]);
});

test("a probe reports failure at its threshold", async () => {
  const stop = new AbortController();
  const failed = new Promise<string>((resolve) => {
    const probe = { periodSeconds: 0.01, failureThreshold: 3 };
    let asked = 0;
    const ask = (): Promise<string> => Promise.resolve(`no ${++asked}`);
    void runProber({ probe, eager: false, ask, onSuccess: () => undefined, onFailure: resolve, signal: stop.signal });
  });
  expect(await failed).toBe("no 3");
  stop.abort();
});

test("label selectors of workloads", () => {
  const expression = (operator: string, values?: string[]): object => ({
    matchExpressions: [{ key: "a", operator, values }],
  });
  expect(selects({ matchLabels: { a: "1" } }, { a: "1", b: "2" })).toBe(true);
  expect(selects({}, { a: "1" })).toBe(false);
  expect(selects(expression("In", ["1"]), { a: "1" })).toBe(true);
  expect(selects(expression("NotIn", ["1"]), { a: "1" })).toBe(false);
  expect(selects(expression("Exists"), {})).toBe(false);
  expect(selects(expression("DoesNotExist"), {})).toBe(true);
});

test("a process is told from a later one with its number", () => {
  const self = identify(process.pid);
  expect(self && isAlive(self)).toBe(true);
  expect(self && isAlive({ ...self, startTime: "1" })).toBe(false);
  expect(identify(2 ** 30)).toBeUndefined();
});

test("a name is taken once, and its folder goes with everything empty above it", async () => {
  const home = mkdtempSync(join(tmpdir(), "h6-state-"));
  const dir = join(home, "state", "meshctl", "mesh");
  const self = identify(process.pid);
  if (self === undefined) throw new Error("no /proc");
  const state = { name: "mesh", phase: "starting", process: self, network: "loopback", kubeconfig: "k" } as const;
  expect(await claimState(dir, state)).toBe(true);
  expect(await claimState(dir, state)).toBe(false);
  await writeState(dir, { ...state, phase: "up" });
  expect((await readState(dir))?.phase).toBe("up");
  writeFileSync(join(home, "other"), "");
  await removeStateDir(dir);
  expect(() => readFileSync(join(home, "state"))).toThrow("ENOENT");
  expect(readFileSync(join(home, "other"), "utf8")).toBe("");
  rmSync(home, { recursive: true });
});

test("a mounted file is rewritten in place, shorter and longer", () => {
  const dir = mkdtempSync(join(tmpdir(), "h6-hosts-"));
  const path = join(dir, "hosts");
  writeFileSync(path, "long long text");
  overwrite(path, "short");
  expect(readFileSync(path, "utf8")).toBe("short");
  rmSync(dir, { recursive: true });
});

test("a kubeconfig is merged and taken out again", () => {
  const entry = (name: string): Record<string, unknown> => ({
    clusters: [{ name, cluster: {} }],
    users: [{ name, user: {} }],
    contexts: [{ name, context: {} }],
    "current-context": name,
  });
  const own = { apiVersion: "v1", kind: "Config", ...entry("work") };
  const merged = mergeKubeconfig(own, entry("meshctl-mesh"));
  expect(merged["current-context"]).toBe("meshctl-mesh");
  expect(mergeKubeconfig(merged, entry("meshctl-mesh"))).toEqual(merged);
  expect(unmergeKubeconfig(merged, entry("meshctl-mesh"))).toEqual({ ...own, "current-context": "" });
});
