/** A path into plain data, as users write it: `components.ingressGateways[0].name`, `labels["app.kubernetes.io/name"]`. */
export type Segments = readonly (string | number)[];

const SEGMENT = /^(?:\.?([A-Za-z0-9_$-]+)|\[(\d+)\]|\["([^"]+)"\])/;

/** The segments of a path, or undefined when it is not one. */
export function parsePath(text: string): Segments | undefined {
  const segments: (string | number)[] = [];
  let rest = text;
  while (rest !== "") {
    const match = SEGMENT.exec(rest);
    if (match === null || (segments.length === 0 && rest.startsWith("."))) return undefined;
    segments.push(match[2] === undefined ? (match[1] ?? match[3] ?? "") : Number(match[2]));
    rest = rest.slice(match[0].length);
  }
  return segments.length === 0 ? undefined : segments;
}

/** The path as users write it. */
export function pathText(segments: Segments): string {
  return segments
    .map((segment, index) => {
      if (typeof segment === "number") return `[${segment}]`;
      if (!/^[A-Za-z0-9_$-]+$/.test(segment)) return `["${segment}"]`;
      return index === 0 ? segment : `.${segment}`;
    })
    .join("");
}

/** The value at a path; undefined when a step is missing. Only own members are seen. */
export function valueAt(data: unknown, segments: Segments): unknown {
  let value = data;
  for (const segment of segments) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, segment)) return undefined;
    value = (value as Record<string | number, unknown>)[segment];
  }
  return value;
}

/** A copy of plain data with the value at a path replaced; missing steps become objects, or lists before a number. */
export function withValueAt(data: unknown, segments: Segments, value: unknown): unknown {
  const [first, ...rest] = segments;
  if (first === undefined) return value;
  if (typeof first === "number") {
    const list: unknown[] = Array.isArray(data) ? [...(data as unknown[])] : [];
    list[first] = withValueAt(list[first], rest, value);
    return list;
  }
  const record = typeof data === "object" && data !== null && !Array.isArray(data) ? data : {};
  return { ...record, [first]: withValueAt(valueAt(record, [first]), rest, value) };
}
