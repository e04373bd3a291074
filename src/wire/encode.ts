import protobuf from "protobufjs/minimal.js";
import { MeshError } from "../base/errors.ts";
import { fits32, parseBase64, parseDuration, parseInt64, parseTimestamp } from "./json-values.ts";
import { type FieldPlan, type MessagePlan, plainField, plans } from "./plan.ts";

/** Hidden property of an Any object that can give its message's bytes (see `reused`). */
export const ENCODED: unique symbol = Symbol("encoded");
/** Hidden property of a message's object that gives its bytes (see `reusedMessage`). */
export const WHOLE: unique symbol = Symbol("whole");

/**
 * Writes messages from their JSON form in one pass. Fields go out in the order of their numbers and map entries sorted by
 * key, so equal content gives equal bytes. Whatever the message does not know is an error with its path; nothing is dropped.
 */
export class Encoder {
  readonly #writer = protobuf.Writer.create();
  readonly #path: (string | number)[] = [];
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  finish(): Uint8Array {
    return this.#writer.finish();
  }

  /** The fields of a message, without length. A Uint8Array stands for the message's bytes, made earlier. */
  message(type: string, value: unknown): void {
    const made = value instanceof Uint8Array ? value : (value as { [WHOLE]?: Uint8Array } | null | undefined)?.[WHOLE];
    if (made !== undefined) {
      this.#writer.raw(made);
      return;
    }
    const special = SPECIAL[type];
    if (special !== undefined) {
      special(this, value);
      return;
    }
    const plan = plans().message(type);
    if (plan === undefined) this.fail(`unknown message type ${type}`);
    this.fields(plan, this.object(value));
  }

  /** All fields of `plan` that `object` has, by their numbers; `@type` is left to the Any around it. */
  fields(plan: MessagePlan, object: Readonly<Record<string, unknown>>): void {
    const present: FieldPlan[] = [];
    for (const key of Object.keys(object)) {
      if (key === "@type" || object[key] === undefined) continue;
      const field = plan.byName.get(key);
      if (field === undefined) this.at(key, () => this.fail(`unknown field of ${plan.name}`));
      else insert(present, field);
    }
    for (const field of present) {
      this.#path.push(field.name);
      if (field.oneof !== undefined) this.#alone(field, present);
      this.#field(field, object[field.name]);
      this.#path.pop();
    }
  }

  #alone(field: FieldPlan, present: readonly FieldPlan[]): void {
    const other = present.find((candidate) => candidate !== field && candidate.oneof === field.oneof);
    if (other !== undefined) this.fail(`excludes ${other.name}: both belong to ${field.oneof ?? ""}`);
  }

  #field(field: FieldPlan, value: unknown): void {
    if (field.entry !== undefined) this.map(field.id, field.entry, this.object(value));
    else if (field.repeated) this.list(field, value);
    else this.single(field, value, field.oneof !== undefined);
  }

  list(field: FieldPlan, value: unknown): void {
    if (!Array.isArray(value)) this.fail(`expected a list, got ${describe(value)}`);
    const packed = field.packed && value.length > 0;
    if (packed) this.open(field.id);
    for (let index = 0; index < value.length; index += 1) {
      this.#path.push(index);
      if (packed) this.#bare(field, value[index]);
      else this.single(field, value[index], true);
      this.#path.pop();
    }
    if (packed) this.close();
  }

  map(id: number, entry: NonNullable<FieldPlan["entry"]>, value: Readonly<Record<string, unknown>>): void {
    for (const key of Object.keys(value).sort()) {
      this.#path.push(key);
      this.open(id);
      this.single(entry.key, mapKey(key, entry.key.type), true);
      this.single(entry.value, value[key], true);
      this.close();
      this.#path.pop();
    }
  }

  /** One value with its tag; without `always`, a default value is left out as proto3 does. */
  single(field: FieldPlan, value: unknown, always: boolean): void {
    if (field.kind === "message") {
      this.open(field.id);
      this.message(field.type, value);
      this.close();
    } else if (always || !isDefault(field, value)) {
      this.#writer.uint32((field.id << 3) | wireType(field));
      this.#bare(field, value);
    } else this.#check(field, value);
  }

  /** Even a value that is not written must be of its type. */
  #check(field: FieldPlan, value: unknown): void {
    if (
      field.kind === "enum" &&
      typeof value === "string" &&
      plans().enumeration(field.type)?.byName.get(value) === undefined
    )
      this.fail(`unknown value ${JSON.stringify(value)} of ${field.type}`);
  }

  open(id: number): void {
    this.#writer.uint32((id << 3) | 2).fork();
  }

  close(): void {
    this.#writer.ldelim();
  }

  #bare(field: FieldPlan, value: unknown): void {
    if (field.kind === "enum") this.#writer.int32(this.#enumNumber(field.type, value));
    else this.#scalar(field.type, value);
  }

  #enumNumber(type: string, value: unknown): number {
    if (typeof value === "number" && fits32(value, "int32")) return value;
    if (value === null && type === "google.protobuf.NullValue") return 0;
    const number = typeof value === "string" ? plans().enumeration(type)?.byName.get(value) : undefined;
    return number ?? this.fail(`unknown value ${describe(value)} of ${type}`);
  }

  #scalar(type: string, value: unknown): void {
    switch (type) {
      case "string":
        if (typeof value !== "string") this.fail(`expected a string, got ${describe(value)}`);
        this.#writer.string(value);
        return;
      case "bool":
        if (typeof value !== "boolean") this.fail(`expected a boolean, got ${describe(value)}`);
        this.#writer.bool(value);
        return;
      case "bytes":
        this.#writer.bytes(this.#bytes(value));
        return;
      case "double":
      case "float":
        this.#writer[type](this.#float(value));
        return;
      default:
        this.#integer(type, value);
    }
  }

  #bytes(value: unknown): Uint8Array {
    if (value instanceof Uint8Array) return value;
    const bytes = typeof value === "string" ? parseBase64(value) : undefined;
    return bytes ?? this.fail(`expected bytes as base64, got ${describe(value)}`);
  }

  #float(value: unknown): number {
    if (typeof value === "number") return value;
    if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
    return this.fail(`expected a number, got ${describe(value)}`);
  }

  #integer(type: string, value: unknown): void {
    if (isWide(type)) {
      const text = typeof value === "number" || typeof value === "string" ? value : "";
      const halves = parseInt64(text, type === "uint64" || type === "fixed64");
      // protobufjs takes the two halves as it takes a Long
      this.#writer[type]((halves ?? this.fail(`expected ${type}, got ${describe(value)}`)) as unknown as number);
      return;
    }
    const number = typeof value === "string" && value !== "" ? Number(value) : value;
    if (!isNarrow(type) || !fits32(number, type)) this.fail(`expected ${type}, got ${describe(value)}`);
    this.#writer[type](number);
  }

  object(value: unknown): Readonly<Record<string, unknown>> {
    if (value === null || typeof value !== "object" || Array.isArray(value))
      this.fail(`expected an object, got ${describe(value)}`);
    return value as Readonly<Record<string, unknown>>;
  }

  /** Runs `write` with one more step on the path that errors name. */
  at(step: string | number, write: () => void): void {
    this.#path.push(step);
    write();
    this.#path.pop();
  }

  fail(problem: string): never {
    const path = this.#path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");
    throw new MeshError("wire-encode", `${this.#root}${path}: ${problem}`);
  }
}

/** Keeps the list sorted by number; lists are short and mostly in order. */
function insert(list: FieldPlan[], field: FieldPlan): void {
  let at = list.length;
  list.push(field);
  for (; at > 0; at -= 1) {
    const before = list[at - 1];
    if (before === undefined || before.id < field.id) break;
    list[at] = before;
  }
  list[at] = field;
}

function describe(value: unknown): string {
  return value === undefined ? "nothing" : (JSON.stringify(value) ?? typeof value).slice(0, 80);
}

type Wide = "int64" | "uint64" | "sint64" | "fixed64" | "sfixed64";
type Narrow = "int32" | "uint32" | "sint32" | "fixed32" | "sfixed32";
const WIDE: ReadonlySet<string> = new Set<Wide>(["int64", "uint64", "sint64", "fixed64", "sfixed64"]);
const NARROW: ReadonlySet<string> = new Set<Narrow>(["int32", "uint32", "sint32", "fixed32", "sfixed32"]);

function isWide(type: string): type is Wide {
  return WIDE.has(type);
}

function isNarrow(type: string): type is Narrow {
  return NARROW.has(type);
}

function mapKey(key: string, type: string): unknown {
  return type === "bool" ? key === "true" : key;
}

function isDefault(field: FieldPlan, value: unknown): boolean {
  if (value === 0 || value === "" || value === false) return true;
  if (value instanceof Uint8Array) return value.length === 0;
  if (field.kind === "enum")
    return typeof value === "string" && plans().enumeration(field.type)?.byName.get(value) === 0;
  return value === "0" && field.type !== "string" && field.type !== "bytes";
}

function wireType(field: FieldPlan): number {
  if (field.kind === "enum") return 0;
  return WIRE_TYPES[field.type] ?? 0;
}

const WIRE_TYPES: Readonly<Record<string, number>> = {
  double: 1,
  fixed64: 1,
  sfixed64: 1,
  string: 2,
  bytes: 2,
  float: 5,
  fixed32: 5,
  sfixed32: 5,
};

const field = (name: string, id: number, type: string): FieldPlan =>
  plainField(name, id, type.includes(".") ? "message" : "scalar", type);

const SECONDS = field("seconds", 1, "int64");
const NANOS = field("nanos", 2, "int32");
const PATHS = field("paths", 1, "string");
const TYPE_URL = field("type_url", 1, "string");
const STRUCT_ENTRY = { key: field("key", 1, "string"), value: field("value", 2, "google.protobuf.Value") };
const NULL = field("null_value", 1, "int32");
const NUMBER = field("number_value", 2, "double");
const STRING = field("string_value", 3, "string");
const BOOL = field("bool_value", 4, "bool");
const STRUCT = field("struct_value", 5, "google.protobuf.Struct");
const LIST = field("list_value", 6, "google.protobuf.ListValue");
const ITEM: FieldPlan = { ...field("values", 1, "google.protobuf.Value"), repeated: true };

const moment =
  (name: string, parse: (text: string) => { seconds: number; nanos: number } | undefined) =>
  (to: Encoder, value: unknown): void => {
    const parsed = typeof value === "string" ? parse(value) : undefined;
    if (parsed === undefined) to.fail(`expected a ${name}, got ${describe(value)}`);
    to.single(SECONDS, parsed.seconds, false);
    to.single(NANOS, parsed.nanos, false);
  };

const wrapper = (type: string): ((to: Encoder, value: unknown) => void) => {
  const plan = field("value", 1, type);
  // null and objects are caught by the scalar writer, defaults are left out as proto3 does
  return (to, value) => to.single(plan, value ?? to.fail("expected a value, got null"), typeof value === "object");
};

/** Messages whose JSON form is not an object of their fields (the proto JSON rules). */
const SPECIAL: Readonly<Record<string, (to: Encoder, value: unknown) => void>> = {
  "google.protobuf.Any": encodeAny,
  "google.protobuf.Duration": moment("duration like 1.5s", parseDuration),
  "google.protobuf.Timestamp": moment("time like 2026-01-31T12:00:00Z", parseTimestamp),
  "google.protobuf.FieldMask": (to: Encoder, value: unknown): void => {
    if (typeof value !== "string") return to.fail(`expected paths joined by commas, got ${describe(value)}`);
    for (const path of value.split(",").filter((part) => part !== "")) to.single(PATHS, path, true);
  },
  "google.protobuf.Struct": encodeStruct,
  "google.protobuf.Value": encodeValue,
  "google.protobuf.ListValue": encodeList,
  "google.protobuf.BoolValue": wrapper("bool"),
  "google.protobuf.StringValue": wrapper("string"),
  "google.protobuf.BytesValue": wrapper("bytes"),
  "google.protobuf.DoubleValue": wrapper("double"),
  "google.protobuf.FloatValue": wrapper("float"),
  "google.protobuf.Int32Value": wrapper("int32"),
  "google.protobuf.UInt32Value": wrapper("uint32"),
  "google.protobuf.Int64Value": wrapper("int64"),
  "google.protobuf.UInt64Value": wrapper("uint64"),
};

function encodeAny(to: Encoder, value: unknown): void {
  const object = to.object(value);
  const url = object["@type"];
  // an Any of nothing, which some messages want where they only need it to be there
  if (url === undefined && Object.keys(object).length === 0) return;
  if (typeof url !== "string" || url === "") to.fail(`expected a type URL in "@type", got ${describe(url)}`);
  to.single(TYPE_URL, url, true);
  to.open(2);
  const type = url.slice(url.lastIndexOf("/") + 1);
  const ready = (object as { [ENCODED]?: unknown })[ENCODED] ?? object["@bytes"];
  if (ready instanceof Uint8Array) to.message(type, ready);
  else if (SPECIAL[type] !== undefined) to.at("value", () => to.message(type, object["value"]));
  else to.message(type, object);
  to.close();
}

function encodeStruct(to: Encoder, value: unknown): void {
  to.map(1, STRUCT_ENTRY, to.object(value));
}

function encodeValue(to: Encoder, value: unknown): void {
  if (typeof value === "string") to.single(STRING, value, true);
  else if (value === null) to.single(NULL, 0, true);
  else if (typeof value === "number") to.single(NUMBER, value, true);
  else if (typeof value === "boolean") to.single(BOOL, value, true);
  else to.single(Array.isArray(value) ? LIST : STRUCT, value, true);
}

function encodeList(to: Encoder, value: unknown): void {
  to.list(ITEM, value);
}
