import { expect, test } from "vitest";
import { ABSENT_EXTENSIONS } from "../../../src/base/absent-extensions.ts";
import { type FieldPlan, plans } from "../../../src/wire/plan.ts";
import { type BinaryField, binaryDescriptors } from "../../support/envoy/binary-descriptors.ts";
import { testEnvoy } from "../../support/envoy/binary.ts";

// What we encode by, the package's protos with ours laid over them, is what the Envoy binary itself decodes by.
const binary = binaryDescriptors(await testEnvoy());

/** The services we declare, and the well-known types, whose JSON form src/wire writes by hand. */
const OURS = /^(istio|meshctl|google\.protobuf)\./;

/** Told by the control plane to istioctl, which reads it by the package's protos; no Envoy sees it. */
const ISTIOCTLS = /^envoy\.service\.status\.v3\./;

/** Fields of the package's protos that Envoy 1.40 no longer has: must not be emitted. */
const GONE = /^envoy\.config\.listener\.v3\.FilterChain\.(on_demand_configuration|OnDemandConfiguration):/;

test("the binary's descriptors were found", () => {
  expect(binary.messages.size).toBeGreaterThan(1000);
  expect(binary.messages.get("envoy.config.cluster.v3.Cluster")?.get("name")).toEqual({
    number: 1,
    type: "string",
    typeName: "",
    repeated: false,
  });
});

test("all messages have Envoy's field numbers and types", () => {
  const problems: string[] = [];
  for (const name of plans()
    .names()
    .filter((one) => !OURS.test(one))) {
    const theirs = binary.messages.get(name);
    if (theirs !== undefined) problems.push(...differing(name, theirs));
    else if (!ISTIOCTLS.test(name)) problems.push(`${name}: not in the binary`);
  }
  expect(problems.filter((problem) => !GONE.test(problem))).toEqual([]);
});

/** Fields of a message that the binary has otherwise, or not at all. */
function differing(name: string, theirs: ReadonlyMap<string, BinaryField>): readonly string[] {
  return (plans().message(name)?.fields ?? []).flatMap((field) => {
    const want = theirs.get(field.name);
    const path = `${name}.${field.name}`;
    if (want === undefined) return [`${path}: not in the binary`];
    const [ours, its] = [describe(field), describeBinary(want, field)];
    return ours === its ? [] : [`${path}: ${ours}, in the binary ${its}`];
  });
}

test("all enums have Envoy's numbers", () => {
  const problems: string[] = [];
  const names = new Set(
    plans()
      .names()
      .flatMap((name) => plans().message(name)?.fields ?? [])
      .filter((field) => field.kind === "enum")
      .map((field) => field.type),
  );
  for (const name of names) {
    const theirs = binary.enums.get(name);
    for (const [value, number] of plans().enumeration(name)?.byName ?? [])
      if (theirs !== undefined && theirs.get(value) !== number) problems.push(`${name}.${value} = ${number}`);
  }
  expect(problems).toEqual([]);
});

test("extensions that the proxy's Envoy is said to lack are not in it, and those that users' modules and scripts need are", () => {
  const names = [...binary.messages.keys()];
  const has = (start: string): boolean => names.some((name) => name.startsWith(start));
  expect(Object.keys(ABSENT_EXTENSIONS).filter(has)).toEqual([]);
  const needed = ["http.wasm", "network.wasm", "http.lua", "http.ext_proc", "http.dynamic_modules"];
  expect(needed.filter((name) => !has(`envoy.extensions.filters.${name}.v3.`))).toEqual([]);
});

function describe(field: FieldPlan): string {
  if (field.mapKey !== undefined) return `${field.id} map`;
  const type = field.kind === "scalar" ? field.type : `${field.kind} ${field.type}`;
  return `${field.id} ${field.repeated ? "repeated " : ""}${type}`;
}

function describeBinary(field: BinaryField, ours: FieldPlan): string {
  // on the wire a map is a repeated message
  if (ours.mapKey !== undefined && field.repeated && field.typeName.endsWith("Entry")) return `${field.number} map`;
  const type = field.typeName === "" ? field.type : `${field.type} ${field.typeName}`;
  return `${field.number} ${field.repeated ? "repeated " : ""}${type}`;
}
