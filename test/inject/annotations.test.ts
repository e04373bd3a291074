import { join } from "node:path";
import { expect, test } from "vitest";
import { strategicDifference } from "../../src/base/strategic-merge.ts";
import { InjectionError, type PodLike } from "../../src/inject/config.ts";
import { inject } from "../../src/inject/inject.ts";
import { listKey } from "../../src/inject/lists.ts";
import { annotationRegistry } from "../../src/model/annotation-registry.ts";
import { toYaml } from "../../src/resources/yaml-plain.ts";
import { expectGolden, expectNoStaleGoldens } from "../support/golden.ts";
import {
  ANNOTATION_VALUES,
  ANNOTATED_POD as POD,
  annotationCases,
  annotationContext,
  withNote,
} from "../support/injection-cases.ts";

// What each annotation and label changes in the injected pod, beside the pod without it: one golden each.

const folder = join(import.meta.dirname, "testdata/annotations");

/** Read by others than the injector: the agent out of the pod's annotations, the CNI plugin, the injector's own notes. */
const READ_ELSEWHERE: readonly RegExp[] = [
  /^ambient\./,
  /^sidecar\.istio\.io\/(stats|extraStatTags|status)/,
  /overrides$/,
  /^istio\.io\/rev$/,
];

const fileOf = (kind: string, name: string): string => `${kind}.${name.replaceAll("/", "_")}.out.yaml`;

/** What differs from the pod without the annotation, without the notes of the injector about itself. */
function effectOf(pod: PodLike): string {
  const { pod: injected, decision } = inject(pod, annotationContext);
  const stripped = (one: PodLike): unknown => {
    const { "sidecar.istio.io/status": _, ...annotations } = one.metadata?.annotations ?? {};
    return { metadata: { labels: one.metadata?.labels, annotations }, spec: one.spec };
  };
  const change = strategicDifference(stripped(inject(POD, annotationContext).pod), stripped(injected), listKey);
  const warnings = decision.warnings.map((warning) => `# warning: ${warning}\n`).join("");
  return warnings + toYaml(change);
}

test.each(annotationCases)("%s: %s is applied as its golden says", (kind, name, value) => {
  expectGolden(join(folder, fileOf(kind, name)), effectOf(withNote(kind, name, value)));
});

test("every golden belongs to a case, and every annotation of pods has one or is read elsewhere", () => {
  expectNoStaleGoldens(
    folder,
    annotationCases.map(([kind, name]) => fileOf(kind, name)),
  );
  const known = Object.entries(annotationRegistry).filter(([, { on }]) => on.includes("Pod"));
  const missing = known
    .map(([name]) => name)
    .filter((name) => !(name in ANNOTATION_VALUES) && !READ_ELSEWHERE.some((e) => e.test(name)));
  expect(missing).toEqual([]);
});

const BAD: readonly (readonly ["annotations" | "labels", string, string])[] = [
  ...Object.entries({
    "ambient.istio.io/dns-capture": "yes",
    "apm.datadoghq.com/env": '{"a":1}',
    "inject.istio.io/templates": "sidecar,",
    "istio.io/reroute-virtual-interfaces": "much-too-long-a-name",
    "prometheus.istio.io/merge-metrics": "no",
    "prometheus.istio.io/scrape-targets": "15020:/x",
    "prometheus.istio.io/secure-port": "0",
    "proxy.istio.io/config": "[a]",
    "readiness.status.sidecar.istio.io/failureThreshold": "-1",
    "readiness.status.sidecar.istio.io/initialDelaySeconds": "5s",
    "readiness.status.sidecar.istio.io/periodSeconds": "1.5",
    "sidecar.istio.io/agentLogLevel": "verbose",
    "sidecar.istio.io/bootstrapOverride": "A B",
    "sidecar.istio.io/capNetBindService": "yes",
    "sidecar.istio.io/componentLogLevel": "debug",
    "sidecar.istio.io/discoveryAddress": "istiod",
    "sidecar.istio.io/interceptionMode": "redirect",
    "sidecar.istio.io/logLevel": "warnin",
    "sidecar.istio.io/nativeSidecar": "maybe",
    "sidecar.istio.io/proxyCPU": "lots",
    "sidecar.istio.io/proxyCPULimit": "1 core",
    "sidecar.istio.io/proxyImage": "a b",
    "sidecar.istio.io/proxyImageType": "a/b",
    "sidecar.istio.io/proxyMemory": "1MB",
    "sidecar.istio.io/proxyMemoryLimit": "",
    "sidecar.istio.io/rewriteAppHTTPProbers": "on",
    "sidecar.istio.io/statsCompression": "lzma",
    "sidecar.istio.io/statsEvictionInterval": "5",
    "sidecar.istio.io/statsFlushInterval": "soon",
    "sidecar.istio.io/statsHistogramBins": "many",
    "sidecar.istio.io/statsHistogramBuckets": "[1]",
    "sidecar.istio.io/userVolume": "[]",
    "sidecar.istio.io/userVolumeMount": '{"a":{}}',
    "status.sidecar.istio.io/port": "70000",
    "traffic.sidecar.istio.io/excludeInboundPorts": "*",
    "traffic.sidecar.istio.io/excludeInterfaces": "a/b",
    "traffic.sidecar.istio.io/excludeOutboundIPRanges": "*",
    "traffic.sidecar.istio.io/excludeOutboundPorts": "http",
    "traffic.sidecar.istio.io/includeInboundPorts": "80-90",
    "traffic.sidecar.istio.io/includeOutboundIPRanges": "10.0.0.0/33",
    "traffic.sidecar.istio.io/includeOutboundPorts": "99999",
    "traffic.sidecar.istio.io/kubevirtInterfaces": "a b",
  }).map(([name, value]) => ["annotations", name, value] as const),
  ["labels", "networking.istio.io/tunnel", "tcp"],
  ["labels", "security.istio.io/tlsMode", "ISTIO"],
];

test("a value without a meaning is refused with name, value and what is allowed", () => {
  const lines = BAD.map(([kind, name, value]) => {
    try {
      inject(withNote(kind, name, value), annotationContext);
      return `${name} is taken`;
    } catch (error) {
      if (!(error instanceof InjectionError)) throw error;
      return error.message;
    }
  });
  expectGolden(join(import.meta.dirname, "testdata/bad-values.txt"), `${lines.join("\n")}\n`);
  for (const [index, [, name, value]] of BAD.entries()) {
    expect(lines[index], name).toContain(name);
    expect(lines[index], name).toContain(`got "${value}"`);
  }
});

test("an annotation that nothing reads gets a warning with what was meant", () => {
  const { decision } = inject(withNote("annotations", "sidecar.istio.io/proxyCpu", "1"), annotationContext);
  expect(decision.warnings).toEqual([
    "nothing reads annotation sidecar.istio.io/proxyCpu: did you mean sidecar.istio.io/proxyCPU?",
  ]);
});
