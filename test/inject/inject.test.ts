import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { default as jsonPatch } from "fast-json-patch";
import { expect, test } from "vitest";
import { InjectionError, type PodLike } from "../../src/inject/config.ts";
import { inject } from "../../src/inject/inject.ts";
import { parseYaml, toYaml } from "../../src/resources/yaml-plain.ts";
import { expectGolden, expectNoStaleGoldens } from "../support/golden.ts";
import { injectionContext } from "../support/injection.ts";

const folder = join(import.meta.dirname, "testdata/pods");
const cases = readdirSync(folder).filter((file) => file.endsWith(".in.yaml"));
const read = (file: string): PodLike => parseYaml(readFileSync(join(folder, file), "utf8")) as PodLike;
const goldenOf = (file: string): string => file.replace(".in.yaml", ".out.yaml");

test.each(cases)("%s is injected as its golden says", (file) => {
  const pod = read(file);
  const before = JSON.stringify(pod);
  let text: string;
  try {
    const result = inject(pod, injectionContext());
    text = `# ${result.decision.inject ? "injected" : "not injected"}: ${result.decision.reason}\n`;
    if (result.decision.inject) text += toYaml(changedParts(pod, result.pod));
    const patched = jsonPatch.applyPatch(structuredClone(pod), structuredClone([...result.patch]) as never).newDocument;
    expect(patched).toEqual(result.pod);
    // a second injection finds its own work and changes nothing
    expect(inject(result.pod, injectionContext()).patch).toEqual([]);
  } catch (error) {
    if (!(error instanceof InjectionError)) throw error;
    text = `# refused: ${error.message}\n`;
  }
  expect(JSON.stringify(pod)).toBe(before);
  expectGolden(join(folder, goldenOf(file)), text);
});

test("every golden belongs to a case", () => {
  expectNoStaleGoldens(folder, [...cases, ...cases.map(goldenOf)]);
});

/** The pod without the parts that are the same in every pod: those stand in plain.out.yaml. */
function changedParts(pod: PodLike, injected: PodLike): unknown {
  if ((pod.metadata?.labels ?? {})["version"] === "v1") return injected;
  const plain = inject(read("plain.in.yaml"), injectionContext()).pod;
  const sameAs = (list: "containers" | "initContainers", name: string): readonly unknown[] => {
    const containers = (plain.spec[list] ?? []) as { name: string }[];
    return [containers.find((container) => container.name === name)];
  };
  const shorten = (container: Record<string, unknown>, list: "containers" | "initContainers"): unknown => {
    const [known] = sameAs(list, container["name"] as string) as [Record<string, unknown> | undefined];
    if (known === undefined) return container;
    const own = Object.entries(container).map(([key, value]) => {
      if (JSON.stringify(known[key]) === JSON.stringify(value)) return key === "name" ? [[key, value]] : [];
      if (key !== "env") return [[key, value]];
      const seen = new Set((known["env"] as unknown[]).map((item) => JSON.stringify(item)));
      return [[key, (value as unknown[]).filter((item) => !seen.has(JSON.stringify(item)))]];
    });
    return Object.fromEntries(own.flat() as [string, unknown][]);
  };
  const { containers, initContainers, volumes, ...rest } = injected.spec;
  const names = (volumes as { name: string }[]).map(({ name }) => name);
  return {
    ...injected,
    spec: {
      ...rest,
      ...(initContainers === undefined
        ? {}
        : { initContainers: initContainers.map((container) => shorten(container, "initContainers")) }),
      containers: containers.map((container) => shorten(container, "containers")),
      volumes: names,
    },
  };
}

test("an unknown template is refused with the names there are", () => {
  const pod = {
    metadata: { name: "a", annotations: { "inject.istio.io/templates": "sidecr" } },
    spec: { containers: [] },
  };
  expect(() => inject(pod, injectionContext())).toThrow(
    'there is no injection template "sidecr", only gateway, sidecar (MSH0503)',
  );
});
