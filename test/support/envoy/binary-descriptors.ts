import { readFileSync } from "node:fs";
import {
  FileDescriptorProto,
  type IDescriptorProto,
  type IEnumDescriptorProto,
  type IFileDescriptorProto,
} from "protobufjs/ext/descriptor.js";

/** A field as Envoy itself knows it. */
export interface BinaryField {
  readonly number: number;
  /** A scalar's proto name, "enum" or "message". */
  readonly type: string;
  /** Full name of the enum or message; empty for scalars. */
  readonly typeName: string;
  readonly repeated: boolean;
}

/** What the descriptors inside the Envoy binary say, by full name. */
export interface BinaryDescriptors {
  readonly messages: ReadonlyMap<string, ReadonlyMap<string, BinaryField>>;
  readonly enums: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

const TYPES = [
  "",
  "double",
  "float",
  "int64",
  "uint64",
  "int32",
  "fixed64",
  "fixed32",
  "bool",
  "string",
  "group",
  "message",
  "bytes",
  "uint32",
  "enum",
  "sfixed32",
  "sfixed64",
  "sint32",
  "sint64",
]; // prettier-ignore

/** Finds the serialized FileDescriptorProtos that generated C++ code carries, by their first field: the file's name. */
export function binaryDescriptors(binary: string): BinaryDescriptors {
  const bytes = readFileSync(binary);
  const messages = new Map<string, Map<string, BinaryField>>();
  const enums = new Map<string, Map<string, number>>();
  for (let at = bytes.indexOf(".proto\x12"); at >= 0; at = bytes.indexOf(".proto\x12", at + 1)) {
    const start = startOfName(bytes, at + 6);
    if (start === undefined) continue;
    const decoded = FileDescriptorProto.decode(bytes.subarray(start, endOfFields(bytes, start)));
    const file = decoded as unknown as IFileDescriptorProto;
    const prefix = file.package ?? "";
    for (const message of file.messageType ?? []) addMessage(prefix, message, messages, enums);
    for (const one of file.enumType ?? []) addEnum(prefix, one, enums);
  }
  return { messages, enums };
}

/** `name` is field 1: byte 0x0a, its length, its characters, which end at `end`. */
function startOfName(bytes: Buffer, end: number): number | undefined {
  for (let length = 7; length < 200; length += 1) {
    const begin = end - length;
    if (length < 128 && bytes[begin - 1] === length && bytes[begin - 2] === 0x0a) return begin - 2;
    const twoBytes = bytes[begin - 2] === ((length & 127) | 128) && bytes[begin - 1] === length >> 7;
    if (length >= 128 && twoBytes && bytes[begin - 3] === 0x0a) return begin - 3;
  }
  return undefined;
}

/** Where the fields of a FileDescriptorProto end: at the first byte that cannot begin one, or begins the next file. */
function endOfFields(bytes: Buffer, start: number): number {
  for (let at = start; ; ) {
    const [tag, afterTag] = varint(bytes, at);
    const field = tag >>> 3;
    if (field < 1 || field > 14 || field === 13 || (field === 1 && at !== start)) return at;
    const numeric = field === 10 || field === 11 || field === 14;
    if ((tag & 7) !== (numeric ? 0 : 2)) return at;
    const [value, next] = varint(bytes, afterTag);
    at = numeric ? next : next + value;
  }
}

function varint(bytes: Buffer, at: number): [number, number] {
  let value = 0;
  for (let shift = 0, position = at; shift < 35; shift += 7, position += 1) {
    const byte = bytes[position] ?? 0;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return [value, position + 1];
  }
  return [0, at];
}

function addMessage(
  prefix: string,
  message: IDescriptorProto,
  messages: Map<string, Map<string, BinaryField>>,
  enums: Map<string, Map<string, number>>,
): void {
  const name = `${prefix}.${message.name ?? ""}`;
  const fields = new Map<string, BinaryField>();
  for (const field of message.field ?? []) {
    fields.set(field.name ?? "", {
      number: field.number ?? 0,
      type: TYPES[Number(field.type)] ?? "",
      typeName: (field.typeName ?? "").slice(1),
      repeated: Number(field.label) === 3,
    });
  }
  messages.set(name, fields);
  for (const nested of message.nestedType ?? []) addMessage(name, nested, messages, enums);
  for (const one of message.enumType ?? []) addEnum(name, one, enums);
}

function addEnum(prefix: string, one: IEnumDescriptorProto, enums: Map<string, Map<string, number>>): void {
  enums.set(
    `${prefix}.${one.name ?? ""}`,
    new Map((one.value ?? []).map((value) => [value.name ?? "", value.number ?? 0])),
  );
}
