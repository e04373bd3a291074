import { plans } from "../../wire/plan.ts";

/** Any object in JSON form. */
export type Loose = Readonly<Record<string, unknown>>;

/** What the forms of one field are. */
export interface MessageField {
  readonly name: string;
  /** Full name of the message, of each item or of each value. */
  readonly type: string;
  readonly isMessage: boolean;
  readonly isMap: boolean;
  readonly repeated: boolean;
  /** Fields that exclude this one. */
  readonly siblings: readonly string[];
}

/** The names of a message's fields; undefined for a message that we do not know. */
export function messageFields(type: string): readonly string[] | undefined {
  return plans()
    .message(type)
    ?.fields.map(({ name }) => name);
}

/** One field by its original name. */
export function messageField(type: string, name: string): MessageField | undefined {
  const plan = plans().message(type)?.byName.get(name);
  return (
    plan && {
      name: plan.name,
      type: plan.type,
      isMessage: plan.kind === "message",
      isMap: plan.entry !== undefined,
      repeated: plan.repeated,
      siblings: plan.siblings,
    }
  );
}

/** A condition that is not written, empty or 0 always holds. */
export function holds(wanted: string | number | undefined, found: unknown): boolean {
  return wanted === undefined || wanted === "" || wanted === 0 || wanted === found;
}

export function isObject(value: unknown): value is Loose {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
