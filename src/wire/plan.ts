import { descriptorJson } from "../gen/envoy/descriptor.ts";

/** What stands in a field: a scalar by its proto name, an enum, or a message. */
export type Kind = "scalar" | "enum" | "message";

/** How one field is written and read. */
export interface FieldPlan {
  readonly name: string;
  readonly id: number;
  readonly kind: Kind;
  /** A scalar's proto name, else the full name of the enum or message. */
  readonly type: string;
  readonly repeated: boolean;
  readonly packed: boolean;
  /** Proto name of the key type of a map. */
  readonly mapKey: string | undefined;
  /** The two fields of a map's entries. */
  readonly entry: { readonly key: FieldPlan; readonly value: FieldPlan } | undefined;
  /** Fields of one oneof exclude each other, and are written even when they hold the default value. */
  readonly oneof: string | undefined;
  /** Names of the other fields of that oneof. */
  readonly siblings: readonly string[];
}

/** How one message is written and read: its fields by name, by number, and in the order of their numbers. */
export interface MessagePlan {
  readonly name: string;
  readonly fields: readonly FieldPlan[];
  readonly byName: ReadonlyMap<string, FieldPlan>;
  readonly byId: ReadonlyMap<number, FieldPlan>;
}

/** Names and numbers of one enum's values. */
export interface EnumPlan {
  readonly byName: ReadonlyMap<string, number>;
  readonly byNumber: ReadonlyMap<number, string>;
}

type FieldRow = readonly [name: string, id: number, type: string, label: string, oneof: string];

interface Descriptor {
  readonly messages: Readonly<Record<string, readonly FieldRow[]>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** The messages and enums we know; plans are made when first asked for. */
export interface Plans {
  message(name: string): MessagePlan | undefined;
  enumeration(name: string): EnumPlan | undefined;
  names(): readonly string[];
}

let shared: Plans | undefined;

/** The plans of src/gen/envoy, read once. */
export function plans(): Plans {
  shared ??= createPlans(JSON.parse(descriptorJson) as Descriptor);
  return shared;
}

function createPlans(descriptor: Descriptor): Plans {
  const messages = new Map<string, MessagePlan>();
  const enums = new Map<string, EnumPlan>();
  return {
    message(name) {
      const known = messages.get(name);
      if (known !== undefined) return known;
      const rows = Object.hasOwn(descriptor.messages, name) ? descriptor.messages[name] : undefined;
      if (rows === undefined) return undefined;
      const plan = messagePlan(name, rows);
      messages.set(name, plan);
      return plan;
    },
    enumeration(name) {
      const known = enums.get(name);
      if (known !== undefined) return known;
      const values = Object.hasOwn(descriptor.enums, name) ? descriptor.enums[name] : undefined;
      if (values === undefined) return undefined;
      const plan = enumPlan(values);
      enums.set(name, plan);
      return plan;
    },
    names: () => Object.keys(descriptor.messages),
  };
}

function messagePlan(name: string, rows: readonly FieldRow[]): MessagePlan {
  const fields = rows.map((row) => fieldPlan(row, rows));
  return {
    name,
    fields,
    byName: new Map(fields.map((field) => [field.name, field])),
    byId: new Map(fields.map((field) => [field.id, field])),
  };
}

function fieldPlan([name, id, type, label, oneof]: FieldRow, rows: readonly FieldRow[]): FieldPlan {
  const kind: Kind = type.startsWith("m:") ? "message" : type.startsWith("e:") ? "enum" : "scalar";
  const mapKey = label.startsWith("map:") ? label.slice(4) : undefined;
  const bare = plainField(name, id, kind, kind === "scalar" ? type : type.slice(2));
  return {
    ...bare,
    repeated: label === "repeated" || label === "packed",
    packed: label === "packed",
    mapKey,
    entry:
      mapKey === undefined
        ? undefined
        : { key: plainField("key", 1, "scalar", mapKey), value: plainField("value", 2, kind, bare.type) },
    oneof: oneof === "" ? undefined : oneof,
    siblings: oneof === "" ? [] : rows.filter((row) => row[4] === oneof && row[0] !== name).map((row) => row[0]),
  };
}

/** A field that is neither repeated nor a map nor in a oneof. */
export function plainField(name: string, id: number, kind: Kind, type: string): FieldPlan {
  const plain = { repeated: false, packed: false, mapKey: undefined, entry: undefined, oneof: undefined, siblings: [] };
  return { name, id, kind, type, ...plain };
}

/** Of aliases (two names for one number) the first one is printed. */
function enumPlan(values: Readonly<Record<string, number>>): EnumPlan {
  const byNumber = new Map<number, string>();
  for (const [name, number] of Object.entries(values)) if (!byNumber.has(number)) byNumber.set(number, name);
  return { byName: new Map(Object.entries(values)), byNumber };
}
