import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { KubeObject } from "../../../src/resources/object.ts";
import { readValues } from "../../../src/resources/yaml-values.ts";
import type { CaseRequest, TrafficCase } from "./case.ts";

/** One state of a change case: what stands in its namespace then, and who answers when it has arrived. */
export interface ChangeStep {
  readonly it: string;
  /** All objects of the case; what an earlier step had and this has not is deleted in the same batch. */
  readonly objects: readonly KubeObject[];
  /** Who answers; absent: anybody. */
  readonly from?: string;
  /** A part of the alternative names of the certificate that is shown. */
  readonly certificate?: string;
}

/** Requests that go on while the case goes from step to step: none may fail. */
export interface ChangeCase {
  readonly name: string;
  readonly namespace: string;
  readonly load: Pick<CaseRequest, "via" | "to" | "port" | "host" | "path"> & { readonly secure?: boolean };
  readonly steps: readonly ChangeStep[];
}

/** All cases of a folder; `words` stand in their text as $NAME. CHANGE=text picks those whose name has it. */
export function readChangeCases(
  folder: string,
  words: Readonly<Record<string, string>>,
  only = process.env["CHANGE"] ?? "",
): readonly ChangeCase[] {
  return readdirSync(folder, { encoding: "utf8" })
    .filter((file) => file.endsWith(".yaml") && file.includes(only))
    .toSorted()
    .map((file) => {
      const name = relative("", file).replace(/\.yaml$/, "");
      let text = readFileSync(join(folder, file), "utf8").replaceAll("$NS", name);
      for (const [word, value] of Object.entries(words)) text = text.replaceAll(`$${word}`, value);
      const [whole] = readValues(text);
      return { name, namespace: name, ...(whole as Pick<ChangeCase, "load" | "steps">) };
    });
}

/** A state of it as the lab takes cases. */
export function asTraffic({ name, namespace, load }: ChangeCase, step: ChangeStep): TrafficCase {
  return { name, namespace, objects: step.objects, requests: [asRequest(load)], certificates: {} };
}

/** One of its requests. */
export function asRequest({
  via = "sidecar",
  to = "echo",
  port = 80,
  host,
  path = "/",
}: ChangeCase["load"]): CaseRequest {
  return { it: "goes on", expect: {}, via, to, port, path, ...(host === undefined ? {} : { host }) };
}
