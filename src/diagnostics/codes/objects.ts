import { code } from "./code.ts";

/** MSH0200-0299: one object alone (validation). */
export const objectCodes = {
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
