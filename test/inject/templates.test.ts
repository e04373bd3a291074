import { join } from "node:path";
import { expect, test } from "vitest";
import { InjectionError } from "../../src/inject/config.ts";
import { podsOf } from "../../src/inject/documents.ts";
import { inject } from "../../src/inject/inject.ts";
import type { Container } from "../../src/resources/core.ts";
import { toYaml } from "../../src/resources/yaml-plain.ts";
import { expectGolden, expectNoStaleGoldens } from "../support/golden.ts";
import { injectionContext } from "../support/injection.ts";
import {
  contextWithTemplates,
  injectionForms,
  TEMPLATE_STACKS,
  TEMPLATED_POD as POD,
} from "../support/injection-cases.ts";

const folder = join(import.meta.dirname, "testdata/templates");

test.each(Object.entries(TEMPLATE_STACKS))(
  "template %s does what its golden says",
  async (name, { template, names }) => {
    const { pod } = inject(POD, await contextWithTemplates({ own: template }, names));
    const { "sidecar.istio.io/status": _, ...annotations } = pod.metadata?.annotations ?? {};
    expectGolden(join(folder, `${name}.out.yaml`), toYaml({ ...pod, metadata: { ...pod.metadata, annotations } }));
  },
);

test("every golden belongs to a template", () => {
  expectNoStaleGoldens(
    folder,
    Object.keys(TEMPLATE_STACKS).map((name) => `${name}.out.yaml`),
  );
});

test("aliases stand for several templates, and the language of expressions is loaded only when one needs it", async () => {
  const plain = await contextWithTemplates({}, ["both"]);
  expect(plain.expressions).toBeUndefined();
  const aliased = { ...plain, config: { ...plain.config, aliases: { both: ["sidecar"] } } };
  expect(inject(POD, aliased).pod.spec.containers.map(({ name }) => name)).toEqual(["app", "istio-proxy"]);
  expect((await contextWithTemplates({ own: "a: ${{ 1 }}" }, ["own"])).expressions).toBeDefined();
});

test.each<[string, string, string]>([
  [
    "Go's template language",
    "metadata:\n  # {{ a comment }}\n  labels:\n    a: {{ .Values.a }}\n",
    "line 4: {{ .Values.a }} is Go's template language, which is not run here (MSH0501)",
  ],
  ["no YAML", "metadata:\n  labels: [\n", "line 3: cannot be read as YAML"],
  [
    "an unknown name",
    "metadata:\n  labels:\n    a: ${lables.a}\n",
    "line 3: ${lables.a}: there is no lables, did you mean labels?",
  ],
  ["no path", "metadata: ${a b}\n", "line 1: ${a b} is not a path"],
  ["no expression", "metadata:\n  name: ${{ 1 + }}\n", "line 2: ${{ 1 + }}: not an expression of CEL"],
  [
    "an expression that fails",
    "metadata:\n  name: ${{ labels.nope }}\n",
    "line 2: ${{ labels.nope }}: No such key: nope",
  ],
  ["no list", "spec:\n  volumes:\n    - $splice: ${labels}\n", "line 3: $splice: ${labels} is not a list"],
])("a template with %s names the line", async (_, template, words) => {
  const context = await contextWithTemplates({ own: template }, ["own"]);
  const error = (): unknown => {
    try {
      return inject(POD, context);
    } catch (thrown) {
      return thrown;
    }
  };
  expect(error()).toBeInstanceOf(InjectionError);
  expect(error()).toMatchObject({
    message: expect.stringContaining(`injection template "own", ${words}`) as string,
    problem: { template: "own", line: expect.any(Number) as number, hint: expect.any(String) as string },
  });
});

const KINDS = ["Deployment.apps/v1", "ReplicaSet.apps/v1", "ReplicationController.v1", "DaemonSet.apps/v1"];
const MORE = ["StatefulSet.apps/v1", "Job.batch/v1", "CronJob.batch/v1", "DeploymentConfig.apps.openshift.io/v1"];

function workload(kind: string, apiVersion: string): object {
  const spec = { template: { metadata: POD.metadata, spec: POD.spec } };
  const metadata = { name: "web-27000000", namespace: "shop" };
  return { apiVersion, kind, metadata, spec: kind === "CronJob" ? { jobTemplate: { spec } } : spec };
}

test("each workload kind is told to the proxy as what it is", () => {
  const said = [...KINDS, ...MORE].map((text) => {
    const [kind = "", ...version] = text.split(".");
    const document = workload(kind, version.join("."));
    const [place] = podsOf(document, { namespace: "default" });
    if (place?.owner === undefined) throw new Error(`no pod in ${kind}`);
    const { pod } = inject(place.pod, { ...injectionContext(), namespace: place.namespace, owner: place.owner });
    const env = pod.spec.containers.find(({ name }) => name === "istio-proxy")?.env ?? [];
    const of = (name: string): string => env.find((one) => one.name === name)?.value ?? "";
    return `${kind}: ${of("ISTIO_META_WORKLOAD_NAME")} ${of("ISTIO_META_OWNER")}`;
  });
  expectGolden(join(import.meta.dirname, "testdata/kinds.txt"), `${said.join("\n")}\n`);
});

test.each(injectionForms)("form %s", (name, values, more) => {
  const pod = { ...POD, spec: { ...POD.spec, initContainers: [{ name: "migrate", image: "m:1" }] } };
  const { pod: injected } = inject(pod, injectionContext(values, more));
  const shown = (container: Container): object => {
    const { env: _, volumeMounts: __, ports: ___, ...rest } = container;
    return container.name.startsWith("istio-") ? rest : { name: container.name };
  };
  const { "sidecar.istio.io/status": _, ...annotations } = injected.metadata?.annotations ?? {};
  const { initContainers = [], containers, volumes: __, ...rest } = injected.spec;
  const spec = { ...rest, initContainers: initContainers.map(shown), containers: containers.map(shown) };
  expectGolden(
    join(import.meta.dirname, "testdata", `form-${name}.txt`),
    toYaml({ metadata: { ...injected.metadata, annotations }, spec }),
  );
});
