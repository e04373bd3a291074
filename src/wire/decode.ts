import protobuf from "protobufjs/minimal.js";
import { MeshError } from "../base/errors.ts";
import { formatBase64, formatDuration, formatInt64, formatTimestamp } from "./json-values.ts";
import { type FieldPlan, plans } from "./plan.ts";

type Json = unknown;

/**
 * Reads a message into its JSON form. Fields we do not know are passed over, as proto3 readers must (a newer Envoy may send
 * them); broken bytes are an error. An Any of a type we do not know keeps its bytes under `@bytes` and can be written back.
 */
export function decode(type: string, bytes: Uint8Array): Json {
  try {
    return message(type, protobuf.Reader.create(bytes), bytes.length);
  } catch (error) {
    if (error instanceof MeshError) throw error;
    throw new MeshError("wire-decode", `${type}: broken bytes`, { cause: error });
  }
}

function message(type: string, reader: protobuf.Reader, end: number): Json {
  const special = SPECIAL[type];
  if (special !== undefined) return special(reader, end);
  const plan = plans().message(type);
  if (plan === undefined) throw new MeshError("wire-decode", `unknown message type ${type}`);
  const out: Record<string, Json> = {};
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = plan.byId.get(tag >>> 3);
    if (field === undefined) reader.skipType(tag & 7);
    else readField(out, field, reader, tag & 7);
  }
  return out;
}

function readField(out: Record<string, Json>, field: FieldPlan, reader: protobuf.Reader, wire: number): void {
  if (field.mapKey !== undefined) {
    readEntry(own(out, field.name, () => ({})) as Record<string, Json>, field, reader);
    return;
  }
  if (!field.repeated) {
    // the last member of a oneof on the wire wins
    for (const sibling of field.siblings) delete out[sibling];
    out[field.name] = value(field, reader);
    return;
  }
  const list = own(out, field.name, () => []) as Json[];
  const packed = wire === 2 && field.kind !== "message" && field.type !== "string" && field.type !== "bytes";
  if (!packed) {
    list.push(value(field, reader));
    return;
  }
  const end = stretch(reader);
  while (reader.pos < end) list.push(value(field, reader));
}

function own(out: Record<string, Json>, name: string, make: () => Json): Json {
  out[name] ??= make();
  return out[name];
}

function readEntry(map: Record<string, Json>, field: FieldPlan, reader: protobuf.Reader): void {
  const end = stretch(reader);
  let key: Json = field.mapKey === "string" ? "" : 0;
  let held: Json = field.kind === "message" ? {} : undefined;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) key = scalar(field.mapKey ?? "string", reader);
    else if (tag >>> 3 === 2) held = value(field.entry?.value ?? field, reader);
    else reader.skipType(tag & 7);
  }
  put(map, String(key), held ?? emptyScalar(field));
}

function emptyScalar(field: FieldPlan): Json {
  if (field.kind === "enum") return plans().enumeration(field.type)?.byNumber.get(0) ?? 0;
  if (field.type === "string" || field.type === "bytes") return "";
  return field.type === "bool" ? false : 0;
}

function value(field: FieldPlan, reader: protobuf.Reader): Json {
  if (field.kind === "message") {
    return message(field.type, reader, stretch(reader));
  }
  if (field.kind === "scalar") return scalar(field.type, reader);
  const number = reader.int32();
  if (field.type === "google.protobuf.NullValue") return null;
  return plans().enumeration(field.type)?.byNumber.get(number) ?? number;
}

function scalar(type: string, reader: protobuf.Reader): Json {
  const read = SCALARS[type];
  if (read === undefined) throw new MeshError("wire-decode", `unknown scalar type ${type}`);
  return read(reader);
}

const SCALARS: Readonly<Record<string, (reader: protobuf.Reader) => Json>> = {
  string: (reader) => reader.string(),
  bool: (reader) => reader.bool(),
  bytes: (reader) => formatBase64(reader.bytes()),
  double: (reader) => float(reader.double()),
  float: (reader) => float(reader.float()),
  int32: (reader) => reader.int32(),
  uint32: (reader) => reader.uint32(),
  sint32: (reader) => reader.sint32(),
  fixed32: (reader) => reader.fixed32(),
  sfixed32: (reader) => reader.sfixed32(),
  int64: (reader) => formatInt64(reader.int64(), false),
  uint64: (reader) => formatInt64(reader.uint64(), true),
  sint64: (reader) => formatInt64(reader.sint64(), false),
  fixed64: (reader) => formatInt64(reader.fixed64(), true),
  sfixed64: (reader) => formatInt64(reader.sfixed64(), false),
};

function float(number: number): Json {
  return Number.isFinite(number) ? number : String(number);
}

type Read = (reader: protobuf.Reader, end: number) => Json;

/** Reads the numbered parts of a well-known message; `take` gets each field's number. */
function parts(reader: protobuf.Reader, end: number, take: (id: number) => boolean): void {
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (!take(tag >>> 3)) reader.skipType(tag & 7);
  }
}

const moment =
  (format: (seconds: number, nanos: number) => string): Read =>
  (reader, end) => {
    let seconds = 0;
    let nanos = 0;
    parts(reader, end, (id) => {
      if (id === 1) seconds = Number(formatInt64(reader.int64(), false));
      else if (id === 2) nanos = reader.int32();
      return id === 1 || id === 2;
    });
    return format(seconds, nanos);
  };

const wrapper =
  (type: string, empty: Json): Read =>
  (reader, end) => {
    let held = empty;
    parts(reader, end, (id) => {
      if (id === 1) held = scalar(type, reader);
      return id === 1;
    });
    return held;
  };

const SPECIAL: Readonly<Record<string, Read>> = {
  "google.protobuf.Any": readAny,
  "google.protobuf.Duration": moment(formatDuration),
  "google.protobuf.Timestamp": moment(formatTimestamp),
  "google.protobuf.FieldMask": (reader, end) => {
    const paths: string[] = [];
    parts(reader, end, (id) => id === 1 && paths.push(reader.string()) > 0);
    return paths.join(",");
  },
  "google.protobuf.Struct": readStruct,
  "google.protobuf.Value": readValue,
  "google.protobuf.ListValue": readList,
  "google.protobuf.BoolValue": wrapper("bool", false),
  "google.protobuf.StringValue": wrapper("string", ""),
  "google.protobuf.BytesValue": wrapper("bytes", ""),
  "google.protobuf.DoubleValue": wrapper("double", 0),
  "google.protobuf.FloatValue": wrapper("float", 0),
  "google.protobuf.Int32Value": wrapper("int32", 0),
  "google.protobuf.UInt32Value": wrapper("uint32", 0),
  "google.protobuf.Int64Value": wrapper("int64", 0),
  "google.protobuf.UInt64Value": wrapper("uint64", 0),
};

function readAny(reader: protobuf.Reader, end: number): Json {
  let url = "";
  let bytes: Uint8Array = new Uint8Array(0);
  parts(reader, end, (id) => {
    if (id === 1) url = reader.string();
    else if (id === 2) bytes = reader.bytes();
    return id === 1 || id === 2;
  });
  if (url === "") return {};
  const type = url.slice(url.lastIndexOf("/") + 1);
  if (SPECIAL[type] !== undefined) return { "@type": url, value: decode(type, bytes) };
  if (plans().message(type) === undefined) return { "@type": url, "@bytes": bytes };
  return { "@type": url, ...(decode(type, bytes) as object) };
}

function readStruct(reader: protobuf.Reader, end: number): Json {
  const out: Record<string, Json> = {};
  parts(reader, end, (id) => {
    if (id !== 1) return false;
    const stop = stretch(reader);
    let key = "";
    let held: Json = null;
    parts(reader, stop, (part) => {
      if (part === 1) key = reader.string();
      else if (part === 2) held = nested(reader, readValue);
      return part === 1 || part === 2;
    });
    put(out, key, held);
    return true;
  });
  return out;
}

function readValue(reader: protobuf.Reader, end: number): Json {
  let held: Json = null;
  parts(reader, end, (id) => {
    if (id === 1) reader.int32();
    if (id === 1) held = null;
    else if (id === 2) held = reader.double();
    else if (id === 3) held = reader.string();
    else if (id === 4) held = reader.bool();
    else if (id === 5) held = nested(reader, readStruct);
    else if (id === 6) held = nested(reader, readList);
    return id >= 1 && id <= 6;
  });
  return held;
}

function readList(reader: protobuf.Reader, end: number): Json {
  const out: Json[] = [];
  parts(reader, end, (id) => id === 1 && out.push(nested(reader, readValue)) > 0);
  return out;
}

function nested(reader: protobuf.Reader, read: Read): Json {
  return read(reader, stretch(reader));
}

/** The end of the length-delimited part that starts here. */
function stretch(reader: protobuf.Reader): number {
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError(`a part of ${length} bytes reaches past the end`);
  return end;
}

/** Keys come from the wire: `__proto__` must be a key like any other. */
function put(out: Record<string, Json>, key: string, held: Json): void {
  if (key === "__proto__")
    Object.defineProperty(out, key, { value: held, enumerable: true, configurable: true, writable: true });
  else out[key] = held;
}
