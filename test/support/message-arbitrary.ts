import fc, { type Arbitrary } from "fast-check";
import { type FieldPlan, plans } from "../../src/wire/plan.ts";

/** Random values of a message in the form in which decoding gives them, a few levels deep. */
export function messageOf(name: string, depth = 2): Arbitrary<unknown> {
  const special = SPECIAL[name];
  if (special !== undefined) return special;
  const plan = plans().message(name);
  if (plan === undefined) throw new Error(`unknown message ${name}`);
  const oneofs = new Map<string, FieldPlan[]>();
  const parts: Arbitrary<Record<string, unknown>>[] = [];
  for (const field of plan.fields) {
    if (field.oneof === undefined) parts.push(maybe(field, depth));
    else oneofs.set(field.oneof, [...(oneofs.get(field.oneof) ?? []), field]);
  }
  for (const members of oneofs.values()) parts.push(fc.oneof(...members.map((field) => maybe(field, depth))));
  return parts.length === 0
    ? fc.constant({})
    : fc.tuple(...parts).map((all) => Object.assign({}, ...all) as Record<string, unknown>);
}

function maybe(field: FieldPlan, depth: number): Arbitrary<Record<string, unknown>> {
  const absent = fc.constant({});
  if (field.kind === "message" && depth === 0) return absent;
  return fc.oneof(
    absent,
    fieldOf(field, depth).map((value) => ({ [field.name]: value })),
  );
}

function fieldOf(field: FieldPlan, depth: number): Arbitrary<unknown> {
  const one = single(field, depth);
  if (field.mapKey !== undefined) {
    const key = field.mapKey === "string" ? fc.string() : fc.nat(1000).map(String);
    return fc.dictionary(key, one, { minKeys: 1, maxKeys: 3, noNullPrototype: true });
  }
  if (field.repeated) return fc.array(one, { minLength: 1, maxLength: 3 });
  // proto3 does not send a default value unless the field knows whether it is set
  return field.oneof === undefined && field.kind !== "message" ? one.filter((value) => !isDefault(field, value)) : one;
}

function isDefault(field: FieldPlan, value: unknown): boolean {
  if (field.kind === "enum") return value === plans().enumeration(field.type)?.byNumber.get(0);
  return value === 0 || value === "" || value === false || Object.is(value, -0);
}

function single(field: FieldPlan, depth: number): Arbitrary<unknown> {
  if (field.kind === "message") return messageOf(field.type, depth - 1);
  if (field.kind === "scalar") return scalar(field.type);
  if (field.type === "google.protobuf.NullValue") return fc.constant(null);
  return fc.constantFrom(...(plans().enumeration(field.type)?.byNumber.values() ?? []));
}

function scalar(type: string): Arbitrary<unknown> {
  const known = SCALARS[type];
  if (known === undefined) throw new Error(`unknown scalar type ${type}`);
  return known;
}

const real = { noNaN: true, noDefaultInfinity: true } as const;
const plusZero = (value: number): number => (Object.is(value, -0) ? 0 : value);
const unsigned32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const signed32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const unsigned64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(asNumber);
const signed64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(asNumber);

const SCALARS: Readonly<Record<string, Arbitrary<unknown>>> = {
  string: fc.string({ unit: "binary" }),
  bool: fc.boolean(),
  bytes: fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes).toString("base64")),
  double: fc.double(real).map(plusZero),
  float: fc.float(real).map(plusZero),
  uint32: unsigned32,
  fixed32: unsigned32,
  int32: signed32,
  sint32: signed32,
  sfixed32: signed32,
  uint64: unsigned64,
  fixed64: unsigned64,
  int64: signed64,
  sint64: signed64,
  sfixed64: signed64,
};

function asNumber(value: bigint): number | string {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
}

const json = fc
  .jsonValue({ maxDepth: 2 })
  .map((value) => JSON.parse(JSON.stringify(value).replaceAll("-0", "0")) as unknown);
const millis = fc.integer({ min: 1, max: 999 });

const SPECIAL: Readonly<Record<string, Arbitrary<unknown>>> = {
  "google.protobuf.Any": fc.oneof(
    fc.constant({}),
    fc.constant({ "@type": "type.googleapis.com/google.protobuf.Duration", value: "5s" }),
    fc.string().map((name) => ({
      "@type": "type.googleapis.com/envoy.config.core.v3.HeaderValue",
      ...(name === "" ? {} : { key: name }),
    })),
  ),
  "google.protobuf.Duration": fc.oneof(
    fc.nat(1_000_000).map((value) => `${value}s`),
    fc.tuple(fc.integer({ min: -9, max: 9 }), millis).map(([s, ms]) => `${s}.${String(ms).padStart(3, "0")}s`),
  ),
  "google.protobuf.Timestamp": fc
    .date({ min: new Date("1970-01-01"), max: new Date("2999-01-01"), noInvalidDate: true })
    .map((date) => date.toISOString().replace(".000Z", "Z")),
  "google.protobuf.FieldMask": fc.array(fc.constantFrom("a", "b.c")).map((paths) => paths.join(",")),
  "google.protobuf.Struct": fc.dictionary(fc.string(), json, { maxKeys: 3, noNullPrototype: true }),
  "google.protobuf.Value": json,
  "google.protobuf.ListValue": fc.array(json, { maxLength: 3 }),
  "google.protobuf.BoolValue": fc.boolean(),
  "google.protobuf.StringValue": scalar("string"),
  "google.protobuf.BytesValue": scalar("bytes"),
  "google.protobuf.DoubleValue": scalar("double"),
  "google.protobuf.FloatValue": scalar("float"),
  "google.protobuf.Int32Value": scalar("int32"),
  "google.protobuf.UInt32Value": scalar("uint32"),
  "google.protobuf.Int64Value": scalar("int64"),
  "google.protobuf.UInt64Value": scalar("uint64"),
};
