import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fixes } from "../../src/analyzers/fixes.ts";
import { fix } from "../../src/commands/fix.ts";
import { readManifests } from "../../src/resources/manifests.ts";
import { validateObject } from "../../src/validation/index.ts";
import { fakeIo } from "../support/fake-io.ts";
import { expectGolden, expectNoStaleGoldens } from "../support/golden.ts";

const folder = join(import.meta.dirname, "testdata/fix");
const cases = readdirSync(folder)
  .filter((file) => file.endsWith(".in.yaml"))
  .map((file) => file.slice(0, -".in.yaml".length));

async function onStdin(text: string): Promise<{ text: string; said: string }> {
  const io = fakeIo({ stdin: text });
  expect(await fix({ sources: ["-"], dryRun: false }, io)).toEqual({ exitCode: 0 });
  return { text: io.stdout(), said: io.stderr() };
}

test.each(cases)(
  "%s: repaired as the golden says; a second run changes nothing; what was wrong is right",
  async (name) => {
    const before = readFileSync(join(folder, `${name}.in.yaml`), "utf8");
    const once = await onStdin(before);
    expectGolden(join(folder, `${name}.out.yaml`), once.text);
    const again = await onStdin(once.text);
    expect(again.text).toBe(once.text);
    expect(again.said).toBe("✔ Nothing to repair.\n");
    const codes = readManifests([{ file: name, text: once.text }]).objects.flatMap(({ object }) =>
      validateObject(object).flatMap(({ code }) => (["IST0002", "MSH0201"].includes(code) ? [code] : [])),
    );
    expect(codes).toEqual([]);
    // every comment is still there
    const comments = (text: string): readonly string[] => text.match(/#.*$/gm) ?? [];
    expect(comments(once.text)).toEqual(comments(before));
  },
);

test("each repair is shown by some case", () => {
  const used = new Set<string>();
  for (const name of cases)
    for (const { object } of readManifests([
      { file: name, text: readFileSync(join(folder, `${name}.in.yaml`), "utf8") },
    ]).objects)
      for (const each of fixes) if (each.next(object).length > 0) used.add(each.name);
  expect([...used].toSorted()).toEqual(fixes.map(({ name }) => name).toSorted());
  expectNoStaleGoldens(
    folder,
    cases.flatMap((name) => [`${name}.in.yaml`, `${name}.out.yaml`]),
  );
});

test("--dry-run prints a diff that patch takes, writes nothing, and says so by its exit code", async () => {
  const cwd = mkdtempSync(join(tmpdir(), "meshctl-fix-"));
  try {
    const before = readFileSync(join(folder, "everything.in.yaml"), "utf8");
    writeFileSync(join(cwd, "mesh.yaml"), before);
    const dry = fakeIo({ cwd });
    expect(await fix({ sources: ["mesh.yaml"], dryRun: true }, dry)).toEqual({ exitCode: 1 });
    expect(readFileSync(join(cwd, "mesh.yaml"), "utf8")).toBe(before);
    const wet = fakeIo({ cwd });
    expect(await fix({ sources: ["mesh.yaml"], dryRun: false }, wet)).toEqual({ exitCode: 0 });
    expect(applied(before, dry.stdout())).toBe(readFileSync(join(cwd, "mesh.yaml"), "utf8"));
    expect(wet.stdout()).toBe("");
    const clean = fakeIo({ cwd });
    expect(await fix({ sources: ["mesh.yaml"], dryRun: true }, clean)).toEqual({ exitCode: 0 });
    expect(clean.stdout()).toBe("");
  } finally {
    rmSync(cwd, { recursive: true });
  }
});

test("what cannot be repaired without losing a comment is left, and said", async () => {
  const text = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: web, namespace: shop }
spec:
  targetRef:
    # the one in front
    kind: Gateway
    group: gateway.networking.k8s.io
    name: public
`;
  const { text: after, said } = await onStdin(text);
  expect(after).toBe(text);
  expect(said).toContain("not repaired: stdin: target-refs: AuthorizationPolicy shop/web (a comment stands inside");
});

/** A unified diff applied to a text; throws where a line is not what the diff says. */
function applied(before: string, diff: string): string {
  const lines = before.split("\n");
  let shift = 0;
  for (const hunk of diff.split(/^(?=@@ )/m).slice(1)) {
    const [head = "", ...rest] = hunk.replace(/\n$/, "").split("\n");
    const [, from = "", removed = "", to = "", added = ""] = /^@@ -(\d+),(\d+) \+(\d+),(\d+) @@$/.exec(head) ?? [];
    const old = rest.filter((line) => !line.startsWith("+")).map((line) => line.slice(1));
    const now = rest.filter((line) => !line.startsWith("-")).map((line) => line.slice(1));
    expect([old.length, now.length, Number(to)]).toEqual([Number(removed), Number(added), Number(from) + shift]);
    expect(lines.splice(Number(from) - 1 + shift, old.length, ...now)).toEqual(old);
    shift += now.length - old.length;
  }
  return lines.join("\n");
}
