import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { KubeObject } from "../../../src/resources/object.ts";
import { readValues } from "../../../src/resources/yaml-values.ts";
import type { WantedCertificate } from "../traffic/case-certificates.ts";
import type { CaseRequest, TrafficCase } from "../traffic/case.ts";

/** The request of a case, as traffic cases write theirs, and what only a client that behaves badly does. */
export type WhyRequest = Partial<CaseRequest> & {
  /** The client closes the connection after so many milliseconds. */
  readonly hangUpAfter?: number;
  /** A header of so many characters. */
  readonly bigHeader?: number;
};

/** What `why` must say of it. */
export interface WantedCause {
  readonly cause: string;
  /** `Kind namespace/name` */
  readonly object: string;
  readonly field?: string;
}

/** One failure: objects that cause it, the request that meets it, the cause that is to be named. */
export interface WhyCase {
  readonly name: string;
  readonly why: WantedCause;
  readonly request: WhyRequest;
  /** Whose access log is looked at; default: who sends it. */
  readonly at: string;
  /** What the line has, all of them: the case's name in a host, unless it is "anonymous", and what the case says. */
  readonly line: readonly RegExp[];
  /** A URL to ask about instead of a line: for failures that leave none. */
  readonly ask?: string;
  /** A pod to ask about instead. */
  readonly pod?: string;
  /** The client does not see the service: it is asked for by the HTTP proxy. */
  readonly unseen: boolean;
  /** Of the last round: certificates are exchanged before it. */
  readonly late: boolean;
  /** Of the last round too, and its objects come only then. */
  readonly comesLate: boolean;
  readonly traffic: TrafficCase;
}

interface Header {
  readonly why: WantedCause;
  readonly request: WhyRequest;
  readonly at?: string;
  readonly line?: string;
  /** The line names no host. */
  readonly anonymous?: boolean;
  readonly ask?: string;
  readonly pod?: string;
  readonly unseen?: boolean;
  readonly phase?: string;
  readonly certificates?: Readonly<Record<string, WantedCertificate>>;
}

/** All cases of a folder, by glob; WHY=text in the environment picks those whose name has it. */
export function readWhyCases(folder: string, only = process.env["WHY"] ?? ""): readonly WhyCase[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".yaml") && file.includes(only))
    .toSorted()
    .map((file) => readCase(join(folder, file)));
}

function readCase(path: string): WhyCase {
  const name = basename(path, ".yaml");
  const [header, ...documents] = readValues(readFileSync(path, "utf8").replaceAll("$NS", name));
  const { why, request, at, line, anonymous, ask, pod, unseen, phase, certificates = {} } = header as Header;
  const objects = documents.filter((object) => object !== null) as KubeObject[];
  const requests = [{ ...request, it: name, expect: {} }];
  return {
    name,
    why,
    request,
    at: at ?? (request.via === "gateway" || request.via === "walled" ? request.via : "client"),
    line: [
      ...(anonymous === true ? [] : [new RegExp(`(?<![\\w-])${name}[.]`)]),
      ...(line === undefined ? [] : [new RegExp(line)]),
    ],
    ...(ask === undefined ? {} : { ask }),
    ...(pod === undefined ? {} : { pod }),
    unseen: unseen === true,
    late: phase === "identities" || phase === "objects",
    comesLate: phase === "objects",
    traffic: { name, namespace: name, requests, objects, certificates },
  };
}
