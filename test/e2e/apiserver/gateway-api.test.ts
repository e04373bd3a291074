import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { gatewayApiKinds } from "../../../src/gen/mesh-kinds.ts";
import { readManifests } from "../../../src/resources/manifests.ts";
import { validateObject } from "../../../src/validation/index.ts";
import { type RealApiServer, startApiServer } from "../../support/kube/apiserver.ts";
import { judge } from "../../support/yardstick/justified.ts";
import { justifiedDifferences, ownCrds, publishedCrds } from "../../support/yardstick/read.ts";
import { differences } from "../../support/yardstick/walk.ts";

/** Gateway API's CRDs as the embedded cluster has them, at a real kube-apiserver and beside the published ones. */
const root = join(import.meta.dirname, "../../..");
const cases = join(root, "test/validation/gateway-api");
const run = promisify(execFile);
const PUBLISHED = "sigs.k8s.io/gateway-api@v1.6.0";
let server: RealApiServer;

beforeAll(async () => {
  server = await startApiServer();
  await kubectl("apply", "--server-side", "-f", join(root, "manifests/gateway-api"));
  await kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s");
});
afterAll(async () => {
  await server?.stop();
});

async function kubectl(...args: readonly string[]): Promise<string> {
  const { stdout } = await run(join(server.assets, "kubectl"), ["--kubeconfig", server.kubeconfig, ...args], {
    maxBuffer: 1 << 26,
  });
  return stdout;
}

test("every difference to the published CRDs is justified, and every justification is needed", async () => {
  const files = Object.values(gatewayApiKinds).map(
    ({ group, plural }) => `config/crd/experimental/${group}_${plural}.yaml`,
  );
  const found = differences(await publishedCrds(PUBLISHED, files), await ownCrds("manifests/gateway-api"));
  const { open, unused } = judge(found, await justifiedDifferences("schemas/gateway-api/justified-differences.json"));
  expect(open).toEqual([]);
  expect(unused).toEqual([]);
});

test("the CRDs are accepted as structural", async () => {
  const { items } = JSON.parse(await kubectl("get", "crd", "-o", "json")) as { items: Crd[] };
  expect(items.map(({ spec }) => spec.names.kind).toSorted()).toEqual(
    Object.values(gatewayApiKinds)
      .map(({ kind }) => kind)
      .toSorted(),
  );
  expect(items.flatMap(({ status }) => status.conditions.filter(({ type }) => type === "NonStructuralSchema"))).toEqual(
    [],
  );
});

interface Crd {
  readonly spec: { readonly names: { readonly kind: string } };
  readonly status: { readonly conditions: readonly { readonly type: string }[] };
}

test("files and API server give the same verdict of every case", async () => {
  const files = (await readdir(cases)).filter((file) => file.endsWith(".yaml"));
  const verdicts = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(cases, file), "utf8");
      const [only] = readManifests([{ file, text }]).objects;
      const ours = only !== undefined && validateObject(only.object).length === 0;
      const theirs = await kubectl("create", "--dry-run=server", "--validate=strict", "-f", join(cases, file)).then(
        () => "taken",
        (error: unknown) => String((error as { stderr?: string }).stderr),
      );
      return { file, ours, theirs };
    }),
  );
  const different = verdicts.filter(({ file, ours, theirs }) => {
    const valid = file.startsWith("valid-");
    return ours !== valid || (theirs === "taken") !== valid || /connection refused|not found/i.test(theirs);
  });
  expect(different).toEqual([]);
  // a rule that fails tells its words: the API server evaluated it
  const rules = verdicts.filter(({ file }) => file.startsWith("rule-"));
  expect(rules.length).toBeGreaterThan(30);
  expect(rules.filter(({ theirs }) => !/is invalid:/.test(theirs))).toEqual([]);
});

test("the controller of a class cannot be changed", async () => {
  const file = join(cases, "valid-gateway-class.yaml");
  await kubectl("create", "-f", file);
  const patch = JSON.stringify({ spec: { controllerName: "other.example/controller" } });
  await expect(kubectl("patch", "gatewayclass", "istio", "--type=merge", "-p", patch)).rejects.toThrow(
    /controllerName cannot be changed/,
  );
  expect(JSON.parse(await kubectl("get", "gc", "istio", "-o", "json"))).toMatchObject({
    status: { conditions: [{ type: "Accepted", status: "Unknown" }] },
  });
});
