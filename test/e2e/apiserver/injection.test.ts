import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { InjectionError, type InjectContext, type PodLike } from "../../../src/inject/config.ts";
import { inject } from "../../../src/inject/inject.ts";
import { uninject } from "../../../src/inject/uninject.ts";
import { parseYaml } from "../../../src/resources/yaml-plain.ts";
import { injectionContext } from "../../support/injection.ts";
import { type RealApiServer, startApiServer } from "../../support/kube/apiserver.ts";

// Every injected pod of the goldens, in every form, is one that a real kube-apiserver takes: applied as a dry run on the server.

const run = promisify(execFile);
const folder = join(import.meta.dirname, "../../inject/testdata/pods");
const scratch = mkdtempSync(join(tmpdir(), "meshctl-injection-"));
let server: RealApiServer;

beforeAll(async () => {
  server = await startApiServer();
  await kubectl("create", "namespace", "shop");
  for (const name of ["default", "web"]) await kubectl("create", "serviceaccount", name, "--namespace", "shop");
});
afterAll(async () => {
  await server?.stop();
  rmSync(scratch, { recursive: true });
});

async function kubectl(...args: readonly string[]): Promise<string> {
  const options = { maxBuffer: 1 << 26 };
  const { stdout } = await run(join(server.assets, "kubectl"), ["--kubeconfig", server.kubeconfig, ...args], options);
  return stdout;
}

function fileOf(name: string, content: unknown): string {
  const file = join(scratch, name);
  writeFileSync(file, JSON.stringify(content));
  return file;
}

const FORMS: Readonly<Record<string, InjectContext>> = {
  classic: injectionContext(),
  native: injectionContext([], { nativeSidecars: true }),
  cni: injectionContext(["values.pilot.cni.enabled=true"], { nativeSidecars: true }),
  values: injectionContext([
    "values.global.proxy.seccompProfile.type=RuntimeDefault",
    "values.global.proxy.holdApplicationUntilProxyStarts=true",
    "values.global.imagePullSecrets[0]=registry",
  ]),
};

/** Annotations that add fields of their own to the pod. */
const ANNOTATIONS: readonly Readonly<Record<string, string>>[] = [
  { "sidecar.istio.io/interceptionMode": "TPROXY", "sidecar.istio.io/capNetBindService": "true" },
  {
    "sidecar.istio.io/bootstrapOverride": "my-bootstrap",
    "sidecar.istio.io/userVolume": '{"certs":{"secret":{"secretName":"certs"}}}',
    "sidecar.istio.io/userVolumeMount": '{"certs":{"mountPath":"/etc/certs","readOnly":true}}',
  },
  {
    "sidecar.istio.io/proxyCPU": "50m",
    "sidecar.istio.io/proxyMemoryLimit": "1Gi",
    "status.sidecar.istio.io/port": "0",
  },
  { "prometheus.istio.io/scrape-targets": "8080:/m", "apm.datadoghq.com/env": '{"DD_ENV":"prod"}' },
];

/** Pods of the goldens with an image where a user leaves it out, once as they are and once with each set of annotations. */
function written(): readonly (readonly [string, PodLike])[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".in.yaml") && file !== "refused.in.yaml");
  return files.flatMap((file) => {
    const pod = parseYaml(readFileSync(join(folder, file), "utf8")) as PodLike;
    const more = file === "plain.in.yaml" ? ANNOTATIONS : [];
    return [{}, ...more].map((annotations, index) => {
      const metadata = { ...pod.metadata, annotations: { ...pod.metadata?.annotations, ...annotations } };
      return [`${file.replace(".in.yaml", "")}-${index}`, { ...pod, metadata }] as const;
    });
  });
}

test("every injected pod is taken by the API server, and its defaults are not undone with the sidecar", async () => {
  const items = Object.entries(FORMS).flatMap(([form, context]) =>
    written().map(([name, pod]) => {
      const { pod: injected } = inject(pod, context);
      const { generateName: _, ...own } = injected.metadata ?? {};
      const metadata = { ...own, name: `${name}-${form}`, namespace: "shop" };
      return { ...injected, apiVersion: "v1", kind: "Pod", metadata };
    }),
  );
  const file = fileOf("pods.json", { apiVersion: "v1", kind: "List", items });
  const answer = await kubectl("create", "--dry-run=server", "-o", "json", "-f", file);
  // one document after the other
  const taken = JSON.parse(`[${answer.replaceAll(/^\}\n\{/gm, "},{")}]`) as readonly PodLike[];
  expect(taken).toHaveLength(items.length);
  for (const pod of taken) {
    const { spec, metadata } = uninject(pod);
    const names = [...spec.containers, ...(spec.initContainers ?? [])].map(({ name }) => name);
    const isGateway = metadata?.annotations?.["inject.istio.io/templates"] === "gateway";
    expect(names.includes("istio-proxy"), metadata?.name).toBe(isGateway);
    expect(names).not.toContain("istio-init");
  }
});

test("a pod that the goldens say is refused never reaches the API server", () => {
  const pod = parseYaml(readFileSync(join(folder, "refused.in.yaml"), "utf8")) as PodLike;
  expect(() => inject(pod, injectionContext())).toThrow(InjectionError);
});
