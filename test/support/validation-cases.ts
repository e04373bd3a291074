import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { KubeObject } from "../../src/resources/object.ts";
import { type CaseFile, readCase } from "./case-findings.ts";

/** What is expected of the objects of a case: nothing to say, a refusal, or a warning. */
export type Bucket = "valid" | "invalid" | "warns";

/** A case file `<Kind>/<bucket>/<rule or topic>.yaml` of validation. */
export interface ValidationCase extends CaseFile {
  readonly kind: string;
  readonly bucket: Bucket;
  /** The rule that each object breaks; a topic for valid ones. */
  readonly name: string;
  readonly path: string;
  readonly objects: readonly KubeObject[];
}

/** Where the cases are. */
export const CASES = join(import.meta.dirname, "../validation/testdata");

/** Every case file, read. */
export function validationCases(): readonly ValidationCase[] {
  return readdirSync(CASES, { recursive: true, encoding: "utf8" })
    .filter((file) => /^\w+\/(?:valid|invalid|warns)\/.*\.yaml$/.test(file))
    .toSorted()
    .map((file) => {
      const [kind = "", bucket, name = ""] = file.replace(/\.yaml$/, "").split("/");
      const path = join(CASES, file);
      return { kind, bucket: bucket as Bucket, name, path, ...readCase(path) };
    });
}
