import { kubeProtosJson } from "../../gen/kube-protos.ts";
import type { JsonObject } from "./json.ts";
import { asArray, asObject, asString, isObject } from "./json.ts";
import { splitApiVersion } from "./registry.ts";
import { builtinSchemas } from "./schema.ts";
import { badRequest, unsupportedMediaType } from "./status.ts";

type Message = Readonly<Record<string, readonly [name: string, type: string]>>;
let table: Readonly<Record<string, Message>> | undefined;

function messages(): Readonly<Record<string, Message>> {
  table ??= JSON.parse(kubeProtosJson) as Record<string, Message>;
  return table;
}

/** One field as it stands in the bytes: a number for varint and fixed, bytes for the rest. */
interface RawField {
  readonly number: number;
  readonly value: bigint | Buffer;
}

/** Reads the fields of a message. Throws 400 for bytes that are none. */
function* rawFields(bytes: Buffer): Generator<RawField> {
  let offset = 0;
  const take = (length: number): Buffer => {
    if (offset + length > bytes.length) throw badRequest("unexpected EOF in protobuf");
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  const varint = (): bigint => {
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = take(1)[0] ?? 0;
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return result;
    }
    throw badRequest("varint too long in protobuf");
  };
  while (offset < bytes.length) {
    const tag = Number(varint());
    const number = tag >>> 3;
    switch (tag & 7) {
      case 0:
        yield { number, value: varint() };
        break;
      case 1:
        yield { number, value: take(8) };
        break;
      case 2:
        yield { number, value: take(Number(varint())) };
        break;
      case 5:
        yield { number, value: take(4) };
        break;
      default:
        throw badRequest("unknown wire type in protobuf");
    }
  }
}

function scalar(type: string, value: bigint | Buffer): unknown {
  switch (type) {
    case "s":
      return Buffer.isBuffer(value) ? value.toString("utf8") : "";
    case "y":
      return Buffer.isBuffer(value) ? value.toString("base64") : "";
    case "b":
      return value !== 0n;
    case "d":
      return Buffer.isBuffer(value) ? value.readDoubleLE() : 0;
    default:
      return typeof value === "bigint" ? Number(BigInt.asIntN(64, value)) : 0;
  }
}

const meta = "k8s.io.apimachinery.pkg.apis.meta.v1";

function timeText(fields: JsonObject, micro: boolean): string {
  const ms = Number(fields["seconds"] ?? 0) * 1000 + Number(fields["nanos"] ?? 0) / 1e6;
  const text = new Date(ms).toISOString();
  return micro ? `${text.slice(0, 23)}000Z` : `${text.slice(0, 19)}Z`;
}

function parsedRaw(fields: JsonObject): unknown {
  const raw = asString(fields["raw"] ?? fields["Raw"]);
  return raw === "" ? null : (JSON.parse(Buffer.from(raw, "base64").toString("utf8")) as unknown);
}

/** Messages that JSON writes as a single value. */
const special: Readonly<Record<string, (fields: JsonObject) => unknown>> = {
  "k8s.io.apimachinery.pkg.util.intstr.IntOrString": (fields) =>
    fields["type"] === 1 ? (fields["strVal"] ?? "") : (fields["intVal"] ?? 0),
  "k8s.io.apimachinery.pkg.api.resource.Quantity": (fields) => fields["string"] ?? "0",
  "k8s.io.apimachinery.pkg.runtime.RawExtension": parsedRaw,
  [`${meta}.FieldsV1`]: parsedRaw,
  [`${meta}.Time`]: (fields) => timeText(fields, false),
  [`${meta}.MicroTime`]: (fields) => timeText(fields, true),
  [`${meta}.Duration`]: (fields) => `${Number(fields["duration"] ?? 0) / 1e9}s`,
  [`${meta}.Verbs`]: (fields) => fields["items"] ?? [],
  "k8s.io.api.authentication.v1.ExtraValue": (fields) => fields["items"] ?? [],
  "k8s.io.api.authorization.v1.ExtraValue": (fields) => fields["items"] ?? [],
};

function value(type: string, raw: bigint | Buffer): unknown {
  if (type.length === 1) return scalar(type, raw);
  const fields = decodeMessage(type, bytesOf(raw));
  const single = special[type];
  return single === undefined ? fields : single(fields);
}

function bytesOf(raw: bigint | Buffer): Buffer {
  return Buffer.isBuffer(raw) ? raw : Buffer.alloc(0);
}

function mapEntry(type: string, raw: Buffer): JsonObject {
  const entry = [...rawFields(raw)];
  const part = (number: number): bigint | Buffer =>
    entry.find((field) => field.number === number)?.value ?? Buffer.alloc(0);
  return { [String(scalar("s", part(1)))]: value(type, part(2)) };
}

function put(out: JsonObject, [name, type]: readonly [string, string], raw: bigint | Buffer): void {
  const inner = type.slice(1);
  switch (type.charAt(0)) {
    case "^":
      Object.assign(out, decodeMessage(inner, bytesOf(raw)));
      break;
    case "*":
      out[name] = [...asArray(out[name]), value(inner, raw)];
      break;
    case "%":
      out[name] = { ...asObject(out[name]), ...mapEntry(inner, bytesOf(raw)) };
      break;
    default: {
      // An unset time is written as an empty message: in JSON it is absent.
      const unsetTime = type === `${meta}.Time` && bytesOf(raw).length === 0;
      if (!unsetTime) out[name] = value(type, raw);
    }
  }
}

function decodeMessage(type: string, bytes: Buffer): JsonObject {
  const fields = messages()[type];
  if (fields === undefined)
    throw unsupportedMediaType(`the embedded endpoint cannot read ${type} as protobuf: send JSON`);
  const out: JsonObject = {};
  for (const { number, value: raw } of rawFields(bytes)) {
    const known = fields[String(number)];
    if (known !== undefined) put(out, known, raw);
  }
  return out;
}

/** The message of a kind: DeleteOptions is shared by all groups, the others are found by their schema. */
function messageOf(apiVersion: string, kind: string): string {
  if (kind === "DeleteOptions") return `${meta}.DeleteOptions`;
  const { group, version } = splitApiVersion(apiVersion);
  const found = Object.entries(builtinSchemas()).find(([, schema]) =>
    schema["x-kubernetes-group-version-kind"]?.some(
      (gvk) => gvk.group === group && gvk.version === version && gvk.kind === kind,
    ),
  );
  if (found === undefined)
    throw unsupportedMediaType(`the embedded endpoint cannot read ${apiVersion} ${kind} as protobuf: send JSON`);
  return found[0].replace(/^io\.k8s\./, "k8s.io.");
}

const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

/** Fields that are no pointers in Go: their zero is written, and means absent. */
const zeroMeansAbsent = new Set(
  (
    "hostPort nodePort minReadySeconds generation observedGeneration port hostNetwork hostPID hostIPC stdin stdinOnce tty " +
    "paused readOnly unschedulable"
  ).split(" "),
);

/** Leaves out what JSON would leave out: empty strings, and the zeros of fields that are no pointers. */
function withoutZeros(value_: unknown): unknown {
  if (Array.isArray(value_)) return value_.map(withoutZeros);
  if (!isObject(value_)) return value_;
  const out: JsonObject = {};
  for (const [key, item] of Object.entries(value_)) {
    const zero = item === "" || ((item === 0 || item === false) && zeroMeansAbsent.has(key));
    if (!zero) out[key] = withoutZeros(item);
  }
  return out;
}

/** Reads a body of application/vnd.kubernetes.protobuf, as kubectl's create commands send it. Throws 400, 415. */
export function decodeProtobuf(bytes: Buffer): JsonObject {
  if (!bytes.subarray(0, 4).equals(magic))
    throw badRequest("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  const fields = [...rawFields(bytes.subarray(4))];
  const of = (number: number): Buffer => bytesOf(fields.find((field) => field.number === number)?.value ?? 0n);
  const type = [...rawFields(of(1))];
  const text = (number: number): string =>
    String(scalar("s", type.find((field) => field.number === number)?.value ?? Buffer.alloc(0)));
  const apiVersion = text(1);
  const kind = text(2);
  const object = withoutZeros(decodeMessage(messageOf(apiVersion, kind), of(2))) as JsonObject;
  return { apiVersion, kind, ...object };
}
