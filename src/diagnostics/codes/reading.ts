import { code } from "./code.ts";

/** MSH0001-0099: reading input (files, stdin), and what users say about findings. */
export const readingCodes = {
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
} as const;
