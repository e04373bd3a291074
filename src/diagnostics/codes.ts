import type { FieldPath, Finding, Level, ObjectRef, SourcePosition } from "./finding.ts";

/** Values that a message is made from. */
export type CodeArgs = Readonly<Record<string, string | number>>;

/** What a code means. Words are made here and nowhere else. */
export interface CodeRecord<Args extends CodeArgs> {
  /** Istio's name for its codes, ours in the same form. */
  readonly name: string;
  readonly level: Level;
  /** One sentence for lists and for the page's heading. */
  readonly summary: string;
  /** What is wrong, with the values. */
  readonly message: (args: Args) => string;
  /** What to do, starting with a verb. */
  readonly hint: (args: Args) => string | undefined;
}

function code<Args extends CodeArgs>(record: CodeRecord<Args>): CodeRecord<Args> {
  return record;
}

/**
 * Every code, sorted. `IST` and four digits: a condition that Istio has, with Istio's code and level. `MSH` and four digits:
 * ours, by area:
 *
 * - 0001-0099 reading input (files, stdin)
 * - 0100-0199 objects in relation to each other (analyzers)
 * - 0200-0299 one object alone (validation)
 * - 0300-0399 profiles and install
 * - 0400-0499 cluster checks
 * - 0500-0599 injection
 * - 0600-0699 what proxies and the control plane report
 *
 * A code is never renamed or used again for something else. Each has a page docs/codes/<CODE>.md.
 */
export const codes = {
  IST0002: code<{ kind: string; field: string; instead: string }>({
    name: "Deprecated",
    level: "Warning",
    summary: "A field is deprecated.",
    message: ({ kind, field }) => `Deprecated field in ${kind}: ${field}`,
    hint: ({ instead }) => instead,
  }),
  IST0101: code<{ what: string; name: string; where: string }>({
    name: "ReferencedResourceNotFound",
    level: "Error",
    summary: "Something that an object names does not exist.",
    message: ({ what, name }) => `Referenced ${what} not found: "${name}"`,
    hint: ({ where }) => where,
  }),
  IST0106: code<{ rule: string; problem: string; hint: string }>({
    name: "SchemaValidationError",
    level: "Error",
    summary: "An object does not hold to the rules of its kind; the control plane would refuse it.",
    message: ({ problem }) => `Schema validation error: ${problem}`,
    hint: ({ hint }) => (hint === "" ? undefined : hint),
  }),
  IST0112: code<{ host: string; count: number }>({
    name: "VirtualServiceDestinationPortSelectorRequired",
    level: "Error",
    summary: "A destination names no port, and its service has several.",
    message: ({ host, count }) =>
      `This VirtualService routes to a service "${host}" that exposes multiple ports (${count}). Specifying a port in the destination is required to disambiguate.`,
    hint: () => "Set destination.port.number.",
  }),
  IST0132: code<{ host: string; gateway: string }>({
    name: "VirtualServiceHostNotFoundInGateway",
    level: "Warning",
    summary: "A VirtualService is bound to a gateway that serves none of its hosts.",
    message: ({ host, gateway }) =>
      `one or more host ${host} defined in VirtualService not found in Gateway ${gateway}`,
    hint: () => "Add the host to a server of the Gateway, or correct it in the VirtualService.",
  }),
  IST0133: code<{ rule: string; problem: string; hint: string }>({
    name: "SchemaWarning",
    level: "Warning",
    summary: "An object is accepted, but part of it has no effect or a surprising one.",
    message: ({ problem }) => `Schema validation warning: ${problem}`,
    hint: ({ hint }) => (hint === "" ? undefined : hint),
  }),
  MSH0001: code<{ reason: string; hint: string }>({
    name: "UnreadableYaml",
    level: "Error",
    summary: "A text is no YAML that Kubernetes reads.",
    message: ({ reason }) => `cannot be read as YAML: ${reason}`,
    hint: ({ hint }) => (hint === "" ? undefined : hint),
  }),
  MSH0002: code<{ missing: string }>({
    name: "IncompleteObject",
    level: "Error",
    summary: "A document looks like a Kubernetes object, but a field that every object has is missing.",
    message: ({ missing }) => `${missing} is missing`,
    hint: ({ missing }) => `Add ${missing}; every Kubernetes object has apiVersion, kind and metadata.name.`,
  }),
  MSH0003: code<{ got: string }>({
    name: "NoKubernetesObject",
    level: "Info",
    summary: "A document is no Kubernetes object and was passed over.",
    message: ({ got }) => `expected a Kubernetes object, got ${got}; passed over`,
    hint: () => "Leave this file out, or give it apiVersion and kind.",
  }),
  MSH0004: code<{ file: string; line: number }>({
    name: "ObjectDefinedTwice",
    level: "Warning",
    summary: "Two documents define one object; only the last counts.",
    message: ({ file, line }) => `defined again in ${file}:${line}; only the last definition counts`,
    hint: () => "Remove one of them, or give it another name.",
  }),
  MSH0201: code<{ kind: string; apiVersion: string; served: string }>({
    name: "UnknownApiVersion",
    level: "Error",
    summary: "A kind of the mesh is written with a group or version that does not exist.",
    message: ({ kind, apiVersion, served }) => `no ${kind} in ${apiVersion}: expected ${served}`,
    hint: ({ served }) => `Write apiVersion: ${served.split(", ")[0]}.`,
  }),
  MSH0202: code<{ kind: string; nearest: string; group: string }>({
    name: "UnknownKind",
    level: "Error",
    summary: "A group of the mesh has no such kind.",
    message: ({ kind, group }) => `no kind ${kind} in ${group}`,
    hint: ({ nearest }) => (nearest === "" ? undefined : `Did you mean ${nearest}?`),
  }),
  MSH0203: code<{ field: string; expected: string; got: string }>({
    name: "WrongFieldType",
    level: "Error",
    summary: "A field of a Kubernetes object has another type than the API server takes.",
    message: ({ field, expected, got }) => `${field}: expected ${expected}, got ${got}`,
    hint: ({ expected }) => (expected === "text" ? "Put quotes around the value." : undefined),
  }),
} as const;

export type Code = keyof typeof codes;

/** The arguments that a code's message needs. */
export type ArgsOf<C extends Code> = Parameters<(typeof codes)[C]["message"]>[0];

/** Everything about where a finding belongs. */
export interface FindingPlace {
  readonly object: ObjectRef | undefined;
  readonly path?: FieldPath;
  readonly position?: SourcePosition;
}

/** A finding of a code, with the arguments that the code's message needs. */
export function finding<C extends Code>(code: C, place: FindingPlace, args: ArgsOf<C>): Finding {
  const { object, path = [], position } = place;
  return { code, level: codes[code].level, object, path, args, position };
}

/** The record of a finding's code, or undefined for a code of a newer program. */
export function recordOf(code: string): CodeRecord<CodeArgs> | undefined {
  return Object.hasOwn(codes, code) ? (codes[code as Code] as unknown as CodeRecord<CodeArgs>) : undefined;
}

/** What a finding says. */
export function messageOf(finding: Finding): string {
  return recordOf(finding.code)?.message(finding.args) ?? `${finding.code} ${JSON.stringify(finding.args)}`;
}

/** What to do about a finding. */
export function hintOf(finding: Finding): string | undefined {
  return recordOf(finding.code)?.hint(finding.args);
}

/** Where a code is explained: Istio's site for Istio's codes, our page for ours. */
export function documentationOf(code: string): string {
  return code.startsWith("IST")
    ? `https://istio.io/latest/docs/reference/config/analysis/${code.toLowerCase()}/`
    : `docs/codes/${code}.md`;
}
