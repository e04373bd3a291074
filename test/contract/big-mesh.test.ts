import { expect, test } from "vitest";
import { bigMesh } from "../../scripts/bench/big-mesh.ts";
import { MISTAKES } from "../../scripts/bench/big-mesh-mistakes.ts";
import { readValues } from "../../src/resources/yaml-values.ts";
import { findingsOf, runCli } from "../support/corpus.ts";

test.each([200, 1_000, 3_000])("%d objects, 2 %% of them wrong, the same text for the same seed", (objects) => {
  const mesh = bigMesh({ objects });
  expect(mesh.objects).toBe(objects);
  expect(readValues(mesh.yaml).length).toBe(objects);
  expect(mesh.planted.length).toBe(objects * 0.02);
  expect(bigMesh({ objects }).yaml).toBe(mesh.yaml);
  expect(bigMesh({ objects, seed: 2 }).yaml).not.toBe(mesh.yaml);
  const size = mesh.yaml.length / objects;
  expect(size).toBeGreaterThan(500);
  expect(size).toBeLessThan(900);
});

test("every planted mistake is found, every kind of mistake is planted, and nothing else is said", async () => {
  const mesh = bigMesh({ objects: 1_200 });
  expect(mesh.planted.length).toBeGreaterThanOrEqual(MISTAKES.length);
  const { stdout } = await runCli(["analyze", "--use-kube=false", "-o", "json", "-"], mesh.yaml);
  const found = findingsOf(stdout).map(({ code, origin }) => `${code} ${origin}`);
  const planted = mesh.planted.map(({ code, kind, namespace, name }) => `${code} ${kind} ${namespace}/${name}`);
  for (const each of planted) expect(found).toContain(each);
  // two VirtualServices for one host are told at both
  const others = found.filter((each) => !planted.includes(each) && !each.startsWith("IST0109 "));
  expect(others).toEqual([]);
});

test("without planted mistakes there is nothing to say", async () => {
  const { yaml, planted } = bigMesh({ objects: 1_000, mistakes: 0 });
  expect(planted).toEqual([]);
  const { stdout, exitCode } = await runCli(["analyze", "--use-kube=false", "-o", "json", "-"], yaml);
  expect(findingsOf(stdout)).toEqual([]);
  expect(exitCode).toBe(0);
});
