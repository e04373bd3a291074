import { createHash } from "node:crypto";
import type { Finding } from "./finding.ts";

/**
 * A name for each finding that stays the same when lines, files or list items before it move: made of its code, its object (the
 * file for findings without one), its path without list indexes and its arguments. Equal findings are counted, so that each name
 * is there once. 32 hexadecimal digits, in the order of the findings.
 */
export function fingerprintsOf(findings: readonly Finding[]): readonly string[] {
  const seen = new Map<string, number>();
  return findings.map((found) => {
    const identity = identityOf(found);
    const count = (seen.get(identity) ?? 0) + 1;
    seen.set(identity, count);
    return createHash("sha256").update(`${identity}\0${count}`).digest("hex").slice(0, 32);
  });
}

function identityOf({ code, object, cluster = "", path, args, position }: Finding): string {
  const about = object === undefined ? [position?.file ?? ""] : [object.kind, object.namespace, object.name];
  const fields = path.filter((step) => typeof step === "string");
  const values = Object.entries(args).flatMap(([name, value]) =>
    // places in files and indexes in words move with the lines around them
    MOVING.has(name) ? [] : [`${name}=${String(value).replaceAll(/\[\d+\]/g, "[]")}`],
  );
  return [code, cluster, ...about, fields.join("/"), ...values.toSorted()].join("\0");
}

const MOVING: ReadonlySet<string> = new Set(["line", "column", "file"]);
