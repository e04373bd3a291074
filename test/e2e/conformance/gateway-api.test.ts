import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openScenario, root } from "../../../scripts/scenario/context.ts";
import { startLoadBalancers } from "../../support/kube/conformance/load-balancer.ts";
import {
  conformanceSuite,
  type PartResult,
  runSuite,
  type Suite,
  wordsOf,
} from "../../support/kube/conformance/suite.ts";
import { type RealNode, startNode } from "../../support/kube/node.ts";

// The public conformance suite of Gateway API, as it is published, against the installed mesh on a real node: official CRDs, its own
// manifests, Deployments that meshd makes. Only the load balancer is ours: a node has none.

const run = promisify(execFile);
const INDEX = 12;

/** Tests of the suite that fail, with the reason. One that passes has to go from here. */
const KNOWN: Readonly<Record<string, string>> = {};

/** Features of the mesh; those of gateways the suite reads from the class's status. */
const MESH_FEATURES = [
  "Mesh",
  "HTTPRoute",
  "GRPCRoute",
  "HTTPRoute303RedirectStatusCode",
  "HTTPRoute307RedirectStatusCode",
  "HTTPRoute308RedirectStatusCode",
  "HTTPRouteResponseHeaderModification",
  // not MeshClusterIPMatching: a sidecar tells Services of one port apart by the host of the request, as Istio's does
  "MeshConsumerRoute",
  "MeshHTTPRouteBackendRequestHeaderModification",
  "MeshHTTPRouteNamedRouteRule",
  "MeshHTTPRouteQueryParamMatching",
  "MeshHTTPRouteRedirectPath",
  "MeshHTTPRouteRedirectPort",
  "MeshHTTPRouteRewritePath",
  "MeshHTTPRouteSchemeRedirect",
];

let suite: Suite;
let node: RealNode;
let scenario: Awaited<ReturnType<typeof openScenario>>;
let balancers: ReturnType<typeof startLoadBalancers>;
let folder: string;
let options: string;

beforeAll(async () => {
  suite = await conformanceSuite();
  const { stdout } = await run(process.execPath, [join(root, "images/build.mjs")], { cwd: root, maxBuffer: 1 << 24 });
  node = await startNode({ images: [...stdout.trim().split("\n"), ...suite.images], index: INDEX });
  await node.enter(["kubectl", "--kubeconfig", node.kubeconfig, "apply", "--server-side", "-f", suite.crds]);
  scenario = await openScenario(node.kubeconfig, () => undefined);
  await scenario.meshctl(["install", "--set", "profile=minimal", "-y"]);
  balancers = startLoadBalancers(scenario.cluster, `10.${200 + INDEX}.255`);
  folder = await mkdtemp(join(tmpdir(), "meshctl-conformance-"));
  options = join(folder, "options.yaml");
  await writeFile(options, OPTIONS);
});

afterAll(async () => {
  await balancers?.close();
  await scenario?.close();
  await node?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

/** A Gateway can stand for a Service that is there, and for no other name. */
const OPTIONS = `
implementation: { organization: meshctl, project: meshctl, url: "https://meshctl.invalid", version: "0", contact: [none] }
timeoutConfig: { namespacesMustBeReady: 120s }
usableNetworkAddresses: [{ type: Hostname, value: infra-backend-v1.gateway-conformance-infra.svc.cluster.local }]
unusableNetworkAddresses: [{ type: Hostname, value: nobody }]
`;

async function judged(name: string, profiles: readonly string[], flags: readonly string[]): Promise<void> {
  const shared = ["-gateway-class", "istio", "-conformance-options-file", options];
  const asked = [...shared, "-conformance-profiles", profiles.join(","), ...flags];
  const result = await runSuite(suite, { kubeconfig: node.kubeconfig, folder, name }, asked);
  expect(result.profiles.map((profile) => profile.name).toSorted()).toEqual(profiles.toSorted());
  const parts = result.profiles.flatMap((profile) => {
    const { core, extended } = profile;
    const more = extended === undefined ? "" : `; extended ${words(extended)}`;
    process.stdout.write(`${profile.name}: core ${words(core)}${more}\n`);
    return extended === undefined ? [core] : [core, extended];
  });
  // a profile of which nothing ran would pass too
  for (const { core } of result.profiles) expect(core.passed).toBeGreaterThan(0);
  const failed = [...new Set(parts.flatMap(({ failedTests }) => failedTests))].toSorted();
  const unknown = failed.filter((test) => KNOWN[test] === undefined);
  expect(unknown, unknown.map((test) => wordsOf(result.output, test)).join("\n\n")).toEqual([]);
  const over = Object.keys(KNOWN).filter(
    (test) => result.output.includes(`--- PASS: TestConformance/${test} `) && !failed.includes(test),
  );
  expect(over, "these pass now: take them from the list").toEqual([]);
}

function words({ passed, failed, skipped }: PartResult): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

test("gateways: HTTP, gRPC, TLS and TCP", async () => {
  // what the mesh's run waits for too, and does not deploy itself, stays
  const flags = ["-cleanup-base-resources=false"];
  await judged("gateways", ["GATEWAY-GRPC", "GATEWAY-HTTP", "GATEWAY-TCP", "GATEWAY-TLS"], flags);
});

test("the mesh: HTTP and gRPC", async () => {
  const flags = ["-supported-features", MESH_FEATURES.join(","), "-namespace-labels", "istio-injection=enabled"];
  await judged("mesh", ["MESH-GRPC", "MESH-HTTP"], flags);
});
