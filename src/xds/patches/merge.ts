import { isObject, type Loose, messageField, messageFields } from "./message.ts";

/** How lists come together. */
export type Lists = "join" | "replace";

const ANY = "google.protobuf.Any";

/**
 * A message laid over another as protobuf merges them: single values and map entries are replaced, messages merged field by
 * field, lists joined, and a member of a oneof takes the place of the other. Messages inside an Any are merged when both are
 * of one type. Both in the form we encode.
 */
export function mergedMessage(type: string, base: Loose, over: Loose, lists: Lists): Loose {
  const made: Record<string, unknown> = { ...base };
  for (const [name, part] of Object.entries(over)) {
    const field = messageField(type, name);
    if (field === undefined) continue;
    for (const sibling of field.siblings) delete made[sibling];
    const before = made[name];
    if (field.isMap) made[name] = isObject(before) ? { ...before, ...(part as Loose) } : part;
    else if (field.repeated) made[name] = lists === "join" ? joined(before, part) : part;
    else made[name] = field.isMessage ? mergedValue(field.type, before, part, lists) : part;
  }
  return made;
}

function joined(before: unknown, part: unknown): unknown {
  return Array.isArray(before) ? (before as readonly unknown[]).concat(part) : part;
}

function mergedValue(type: string, before: unknown, part: unknown, lists: Lists): unknown {
  if (!isObject(before) || !isObject(part)) return part;
  if (type === ANY) return mergedAny(before, part, lists);
  return messageFields(type) === undefined || type.startsWith("google.protobuf.")
    ? { ...before, ...part }
    : mergedMessage(type, before, part, lists);
}

function mergedAny(before: Loose, part: Loose, lists: Lists): Loose {
  const url = before["@type"];
  if (typeof url !== "string" || url !== part["@type"]) return part;
  if (before["type_url"] !== part["type_url"]) return part;
  const { "@type": _, ...rest } = part;
  const merged = mergedMessage(url.slice(url.lastIndexOf("/") + 1), before, rest, lists);
  return { ...merged, "@type": url };
}
