import fc from "fast-check";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bigMesh } from "../../scripts/bench/big-mesh.ts";
import { analyzers } from "../../src/analyzers/index.ts";
import { runAnalyzers } from "../../src/analyzers/run.ts";
import { analyze } from "../../src/commands/analyze.ts";
import { parseOutputs } from "../../src/report/outputs.ts";
import { isClusterScoped, worldFromObjects } from "../../src/resources/files-world.ts";
import { completeManifests, readManifests } from "../../src/resources/manifests.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createFixedWorld } from "../../src/resources/world-fixed.ts";
import type { World } from "../../src/resources/world.ts";
import { worldOf } from "../../src/resources/world-store.ts";
import { fakeIo } from "../support/fake-io.ts";

const folder = join(import.meta.dirname, "testdata");
const cases = readdirSync(folder, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith(".in.yaml"))
  .map((file) => join(folder, file));

const objectsOf = (text: string): readonly KubeObject[] =>
  completeManifests(readManifests([{ file: "x", text }]).objects, "default", isClusterScoped).objects.map(
    ({ object }) => object,
  );

/** Findings of a text, without the lines, which move with the documents. */
function findingsOf(text: string): Promise<readonly string[]> {
  return findingsIn(["-"], text);
}

async function findingsIn(sources: readonly string[], stdin = ""): Promise<readonly string[]> {
  const { findings } = await analyze(
    {
      sources,
      cluster: "no",
      namespace: "default",
      allNamespaces: false,
      rootNamespace: "istio-system",
      failureThreshold: "Error",
      profiles: ["security"],
      outputs: parseOutputs(["json"]),
    },
    fakeIo({ stdin }),
  );
  return findings.map(({ code, object, path, args, related }) =>
    JSON.stringify([code, object, path, args, related?.map((place) => [place.object, place.path])]),
  );
}

test("the order of documents never changes the findings", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...cases), fc.infiniteStream(fc.nat()), async (path, random) => {
      const documents = readFileSync(path, "utf8").split(/^---\n/m);
      const numbers = [...random.take(documents.length)];
      const shuffled = documents
        .map((document, index) => [numbers[index] ?? 0, document] as const)
        .toSorted(([a], [b]) => a - b)
        .map(([, document]) => document);
      const before = await findingsOf(documents.join("---\n"));
      const after = await findingsOf(shuffled.join("---\n"));
      expect(after.toSorted(), path).toEqual(before.toSorted());
    }),
    { numRuns: 150, seed: 5 },
  );
});

test("nor does how documents are spread over files, or the order of the files", async () => {
  const home = mkdtempSync(join(tmpdir(), "meshctl-files-"));
  try {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...cases), fc.infiniteStream(fc.nat(3)), async (path, random) => {
        const documents = readFileSync(path, "utf8").split(/^---\n/m);
        const texts = ["", "", "", ""];
        for (const document of documents) {
          const { value } = random.next() as { readonly value: number };
          texts[value] = `${texts[value] ?? ""}---\n${document}`;
        }
        const files = texts.flatMap((text, index) =>
          text === "" ? [] : [[join(home, `${index}.yaml`), text] as const],
        );
        for (const [file, text] of files) writeFileSync(file, text);
        const names = files.map(([file]) => file);
        const before = await findingsOf(documents.join("---\n"));
        for (const order of [names, names.toReversed()])
          expect((await findingsIn(order)).toSorted(), path).toEqual(before.toSorted());
      }),
      { numRuns: 60 },
    );
  } finally {
    rmSync(home, { recursive: true });
  }
});

test("a World that never changes gives the findings of one that may", () => {
  for (const path of cases) {
    const objects = objectsOf(readFileSync(path, "utf8"));
    const options = { complete: true, now: new Date("2026-11-21T07:00:00Z") };
    const fixed = runAnalyzers(analyzers, createFixedWorld(objects), options);
    expect(fixed, path).toEqual(runAnalyzers(analyzers, worldOf(objects), options));
  }
});

/** The World, counting how often it is asked and how many objects it gives. */
function counting(world: World): { readonly world: World; readonly count: () => number } {
  let count = 0;
  const seen = <T>(objects: readonly T[]): readonly T[] => {
    count += 1 + objects.length;
    return objects;
  };
  return {
    count: () => count,
    world: {
      get: (kind, namespace, name) => {
        count += 1;
        return world.get(kind, namespace, name);
      },
      list: (kind, namespace) => seen(world.list(kind, namespace)),
      by: (index, key) => seen(world.by(index, key)),
    },
  };
}

/** Reads of the World per object, for each analyzer. */
function readsPerObject(size: number): ReadonlyMap<string, number> {
  const mesh = bigMesh({ objects: size });
  const world = worldFromObjects(objectsOf(mesh.yaml));
  return new Map(
    analyzers.map((analyzer) => {
      const counted = counting(world);
      runAnalyzers([analyzer], counted.world, { complete: true });
      return [analyzer.name, counted.count() / mesh.objects];
    }),
  );
}

test("the cost of an object is flat: no analyzer reads more of the World per object when there are five times as many", () => {
  const small = readsPerObject(1000);
  const large = readsPerObject(5000);
  const grown = [...large].filter(([name, reads]) => reads > 1.5 * (small.get(name) ?? 0) + 1);
  expect(grown.map(([name, reads]) => `${name}: ${small.get(name)?.toFixed(1)} -> ${reads.toFixed(1)}`)).toEqual([]);
});

test("every planted mistake of a mesh of 2,000 objects is found, for its object", async () => {
  const mesh = bigMesh({ objects: 2000 });
  const found = new Set(
    (await findingsOf(mesh.yaml)).map((text) => {
      const [code, object] = JSON.parse(text) as [string, { kind: string; namespace: string; name: string } | null];
      return [code, object?.kind, object?.namespace, object?.name].join(" ");
    }),
  );
  expect(mesh.planted.length).toBe(40);
  const missed = mesh.planted.filter(
    ({ code, kind, namespace, name }) => !found.has([code, kind, namespace, name].join(" ")),
  );
  expect(missed).toEqual([]);
});
