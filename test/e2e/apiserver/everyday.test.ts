import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseYaml } from "../../../src/resources/yaml-plain.ts";
import { type RealApiServer, startApiServer } from "../../support/kube/apiserver.ts";
import { withOurPrograms } from "../../support/programs.ts";

/** What people do at their desk, with a real kubectl and a real API server: the GitOps guide, kubectl mesh, completion of names. */
const page = readFileSync(join(import.meta.dirname, "../../../docs/guides/gitops.md"), "utf8");
const snippet = (name: string): string =>
  new RegExp(`\`\`\`\\w+ ${name.replace(".", "\\.")}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? `no snippet ${name}`;
const work = mkdtempSync(join(tmpdir(), "meshctl-everyday-"));
let server: RealApiServer;
let PATH = "";

beforeAll(async () => {
  server = await startApiServer();
  PATH = withOurPrograms(join(work, "bin")).replace(delimiter, `${delimiter}${server.assets}${delimiter}`);
  writeFileSync(join(work, "mesh.yaml"), snippet("mesh.yaml"));
});
afterAll(async () => {
  await server.stop();
  rmSync(work, { recursive: true, force: true });
});

/** Standard output of a script; a failing line is a failing test. */
function shell(script: string): string {
  const { status, stdout, stderr } = spawnSync("bash", ["-eo", "pipefail", "-c", script], {
    cwd: work,
    encoding: "utf8",
    env: { PATH, HOME: work, KUBECONFIG: server.kubeconfig },
  });
  expect(status, `${script}\n${stdout}${stderr}`).toBe(0);
  return stdout;
}

test("GitOps: what is rendered is applied in the order of the guide; a second render changes nothing", () => {
  shell(`${snippet("render")}
git init -q . && git add mesh && git -c user.name=a -c user.email=a@example.org commit -qm mesh
${snippet("render")}${snippet("in-step")}`);
  shell(snippet("apply"));
  const found = shell("kubectl get crd,deploy,svc,mutatingwebhookconfiguration -A -o name");
  for (const name of [
    "crd/gateways.networking.istio.io",
    "deployment.apps/istiod",
    "deployment.apps/istio-ingressgateway",
  ])
    expect(found.replaceAll("customresourcedefinition.apiextensions.k8s.io/", "crd/")).toContain(name);
  // the three folders hold all that install would apply
  const folders = shell("cat mesh/*/*.yaml | grep -c '^kind: [^K]'").trim();
  expect(folders).toBe(shell("meshctl manifest generate -f mesh.yaml | grep -c '^kind: '").trim());
  // nothing differs from what is committed: kubectl diff ends with 0
  shell("kubectl diff --server-side -k mesh/2-control-plane");
});

test("GitOps: a changed setting is one changed field in the comparison; the canary is beside what is there", () => {
  shell("meshctl manifest generate -f mesh.yaml > before.yaml; sed -i 's/stdout/stderr/' mesh.yaml");
  const compare = spawnSync("bash", ["-c", snippet("compare")], {
    cwd: work,
    encoding: "utf8",
    env: { PATH, HOME: work },
  });
  expect(compare.status, compare.stderr).toBe(1);
  expect(compare.stdout).toContain("/dev/stderr");
  shell(`${snippet("upgrade")}kubectl apply --server-side -k mesh/2-control-plane-canary`);
  expect(shell("kubectl -n istio-system get deploy -o name").split("\n")).toContain("deployment.apps/istiod-canary");
});

test("GitOps: the documents for Argo CD and Flux name the folders that are rendered", () => {
  const argo = parseYaml(snippet("argo")) as {
    spec: { source: { path: string }; syncPolicy: { syncOptions: string[] } };
  };
  const flux = parseYaml(snippet("flux")) as { spec: { path: string } };
  for (const path of [argo.spec.source.path, flux.spec.path]) shell(`test -f ${path}/kustomization.yaml`);
  expect(argo.spec.syncPolicy.syncOptions).toContain("ServerSideApply=true");
});

test("the API server is of the version that was asked for", () => {
  const { serverVersion } = JSON.parse(shell("kubectl version -o json")) as { serverVersion: { gitVersion: string } };
  expect(serverVersion.gitVersion).toBe(
    process.env["KUBE_VERSION"] ?? /k8s\/([\d.]+)-/.exec(server.assets)?.[1]?.replace(/^/, "v"),
  );
});

test("kubectl mesh is meshctl, and kubectl completes it", () => {
  expect(shell("kubectl mesh version --remote=false")).toBe(shell("meshctl version --remote=false"));
  expect(shell("kubectl plugin list")).toContain("kubectl-mesh");
  const offered = (words: string): string[] =>
    shell(`kubectl __complete mesh ${words} 2>/dev/null`)
      .split("\n")
      .map((line) => line.split("\t")[0] ?? "");
  expect(offered("prec")).toContain("precheck");
  expect(offered("profile show prod")).toContain("production");
});

test("completion knows the names that are in the cluster", () => {
  shell("kubectl create namespace shop");
  const offered = (words: string): string[] => shell(`meshctl __complete ${words}`).split("\n");
  expect(offered("analyze -n sh")).toEqual(["shop", ":4", ""]);
  expect(offered("inject explain -n istio-system deploy/istiod-")).toEqual(["deploy/istiod-canary", ":4", ""]);
  expect(offered("proxy-status --revision can")).toEqual(["canary", ":4", ""]);
});

test("version, of a cluster with a mesh that does not run", () => {
  expect(shell("meshctl version 2>&1")).toMatch(
    /^client version: .+\nIstio is not present in the cluster: no running Istio pods in namespace "istio-system"\n$/,
  );
});
