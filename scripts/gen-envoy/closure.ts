import protobuf from "protobufjs";

/** A field as the run-time descriptor carries it: name, number, type, label, oneof. Types: a scalar's name, `m:` or `e:` and a full name. */
export type FieldRow = readonly [name: string, id: number, type: string, label: string, oneof: string];

/** What src/wire builds its coders from. Labels: "" | "repeated" | "packed" | "map:<key type>". */
export interface Descriptor {
  readonly messages: Readonly<Record<string, readonly FieldRow[]>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Everything that the named messages reach through their fields, sorted by name, so that equal input gives equal output. */
export function closureOf(root: protobuf.Root, names: readonly string[]): Descriptor {
  root.resolveAll();
  const messages = new Map<string, FieldRow[]>();
  const enums = new Map<string, Record<string, number>>();
  const todo = names.map((name) => root.lookupType(name));
  for (let type = todo.pop(); type !== undefined; type = todo.pop()) {
    const name = type.fullName.slice(1);
    if (messages.has(name)) continue;
    messages.set(
      name,
      type.fieldsArray.map((field) => row(field)).sort((a, b) => a[1] - b[1]),
    );
    for (const field of type.fieldsArray) {
      if (field.resolvedType instanceof protobuf.Type) todo.push(field.resolvedType);
      else if (field.resolvedType instanceof protobuf.Enum)
        enums.set(field.resolvedType.fullName.slice(1), field.resolvedType.values);
    }
  }
  return { messages: sorted(messages), enums: sorted(enums) };
}

function row(field: protobuf.Field): FieldRow {
  const scalar = field.resolvedType === null;
  const prefix = field.resolvedType instanceof protobuf.Type ? "m:" : "e:";
  const type = scalar ? field.type : `${prefix}${field.resolvedType?.fullName.slice(1) ?? ""}`;
  return [field.name, field.id, type, label(field), field.partOf === null ? "" : field.partOf.name];
}

function label(field: protobuf.Field): string {
  if (field instanceof protobuf.MapField) return `map:${field.keyType}`;
  if (!field.repeated) return "";
  const packable = !(field.resolvedType instanceof protobuf.Type) && field.type !== "string" && field.type !== "bytes";
  return packable && field.packed ? "packed" : "repeated";
}

function sorted<T>(map: Map<string, T>): Record<string, T> {
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}
