import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PodVolumes, type VolumeContext, linkMounts } from "../../src/local/node/volumes.ts";
import type { DataObject, Pod, Volume } from "../../src/local/shapes.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "h6-volumes-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

function context(volumes: readonly Volume[], maps: Record<string, Record<string, string>>, now = 0): VolumeContext {
  const find = (name: string): DataObject | undefined =>
    maps[name] && { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: maps[name] };
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "ns", labels: { a: "1" } },
    spec: { containers: [], volumes },
  };
  return {
    pod,
    facts: { podIp: "1.2.3.4", hostIp: "" },
    data: { configMap: find, secret: find },
    token: (audience, seconds) => Promise.resolve(`${audience ?? "api"}:${seconds}:${now}`),
    now: () => new Date(now),
  };
}

const read = (...path: string[]): string => readFileSync(join(dir, ...path), "utf8");

test("a ConfigMap is files behind one symlink, replaced together, with keys that come and go", async () => {
  const volumes = new PodVolumes(dir, undefined);
  const spec = [{ name: "cfg", configMap: { name: "m" } }];
  await volumes.sync(context(spec, { m: { a: "1", b: "2" } }));
  expect(read("cfg", "a")).toBe("1");
  expect(readlinkSync(join(dir, "cfg", "a"))).toBe("..data/a");
  const first = readlinkSync(join(dir, "cfg", "..data"));
  await volumes.sync(context(spec, { m: { a: "1", b: "2" } }));
  expect(readlinkSync(join(dir, "cfg", "..data"))).toBe(first);
  await volumes.sync(context(spec, { m: { a: "9", c: "3" } }));
  expect(readdirSync(join(dir, "cfg")).filter((name) => !name.startsWith(".."))).toEqual(["a", "c"]);
  expect(read("cfg", "a")).toBe("9");
  expect(readdirSync(join(dir, "cfg")).filter((name) => name === first)).toEqual([]);
});

/** Both files as a careful reader takes them: through one resolution of the link; undefined when that version went meanwhile. */
function snapshot(): { readonly a: string; readonly b: string } | undefined {
  const version = realpathSync(join(dir, "cfg", "..data"));
  try {
    return { a: readFileSync(join(version, "a"), "utf8"), b: readFileSync(join(version, "b"), "utf8") };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

test("a reader that resolves ..data once never sees files of two versions", async () => {
  const volumes = new PodVolumes(dir, undefined);
  const spec = [{ name: "cfg", configMap: { name: "m" } }];
  const write = (round: number): Promise<unknown> =>
    volumes.sync(context(spec, { m: { a: String(round), b: String(round) } }));
  await write(0);
  const seen = new Set<string>();
  let writing = true;
  const reader = (async () => {
    while (writing) {
      const pair = snapshot();
      if (pair !== undefined) seen.add(`${pair.a} ${pair.b}`);
      await new Promise(setImmediate);
    }
  })();
  for (let round = 1; round < 20; round++) await write(round);
  writing = false;
  await reader;
  expect(seen.size).toBeGreaterThan(1);
  for (const pair of seen) expect(pair.split(" ")[0]).toBe(pair.split(" ")[1]);
  expect(snapshot()).toEqual({ a: "19", b: "19" });
});

test("a projected volume joins its sources, each file with its mode", async () => {
  const sources = [
    { configMap: { name: "m", items: [{ key: "ca.crt", path: "tls/ca.pem" }] } },
    { downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" }, mode: 0o600 }] } },
    { serviceAccountToken: { audience: "istio-ca", expirationSeconds: 600, path: "token" } },
    { secret: { name: "absent", optional: true } },
  ];
  const volumes = new PodVolumes(dir, undefined);
  await volumes.sync(context([{ name: "v", projected: { sources, defaultMode: 0o640 } }], { m: { "ca.crt": "CA" } }));
  expect(read("v", "tls", "ca.pem")).toBe("CA");
  expect(read("v", "labels")).toBe('a="1"');
  expect(read("v", "token")).toBe("istio-ca:600:0");
  expect(statSync(join(dir, "v", "labels")).mode & 0o777).toBe(0o600);
  expect(statSync(join(dir, "v", "token")).mode & 0o777).toBe(0o640);
});

test("a token is kept until four fifths of its time, then issued anew", async () => {
  const spec = [
    { name: "v", projected: { sources: [{ serviceAccountToken: { expirationSeconds: 1000, path: "t" } }] } },
  ];
  const volumes = new PodVolumes(dir, undefined);
  await volumes.sync(context(spec, {}, 0));
  expect(volumes.msToRefresh(new Date(0))).toBe(800_000);
  await volumes.sync(context(spec, {}, 799_000));
  expect(read("v", "t")).toBe("api:1000:0");
  await volumes.sync(context(spec, {}, 800_000));
  expect(read("v", "t")).toBe("api:1000:800000");
});

test.each<[string, Volume, string]>([
  ["an absent ConfigMap", { name: "v", configMap: { name: "gone" } }, 'configmap "gone" not found'],
  ["an absent key", { name: "v", configMap: { name: "m", items: [{ key: "z", path: "z" }] } }, "has no key z"],
  ["a hostPath", { name: "v", hostPath: { path: "/" } }, "does not offer hostPath volumes"],
  [
    "a path that leaves",
    { name: "v", configMap: { name: "m", items: [{ key: "a", path: "../a" }] } },
    "leaves the volume",
  ],
])("%s is refused", async (_what, volume, words) => {
  await expect(new PodVolumes(dir, undefined).sync(context([volume], { m: { a: "1" } }))).rejects.toThrow(words);
});

test("mounts stand below the container's root, nested ones inside their parents, subPath as one file", async () => {
  const volumes = new PodVolumes(join(dir, "volumes"), undefined);
  const spec = [
    { name: "work", emptyDir: {} },
    { name: "cfg", configMap: { name: "m" } },
  ];
  await volumes.sync(context(spec, { m: { a: "1" } }));
  const root = join(dir, "root");
  const volumeMounts = [
    { name: "cfg", mountPath: "/work/conf" },
    { name: "work", mountPath: "/work/" },
    { name: "cfg", mountPath: "/etc/one.txt", subPath: "a" },
  ];
  await linkMounts(root, { name: "c", volumeMounts }, volumes);
  writeFileSync(join(root, "work", "out"), "x");
  expect(read("volumes", "work", "out")).toBe("x");
  expect(read("root", "work", "conf", "a")).toBe("1");
  expect(read("root", "etc", "one.txt")).toBe("1");
});
