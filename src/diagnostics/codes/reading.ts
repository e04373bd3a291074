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
  MSH0010: code<{ suppression: string }>({
    name: "UnusedSuppression",
    level: "Info",
    summary: "A decision to ignore findings has nothing to ignore.",
    message: ({ suppression }) => `nothing was found that ${suppression} could suppress`,
    hint: () => "Remove it: it would hide the next mistake at this place.",
  }),
  MSH0011: code<{ suppression: string; until: string }>({
    name: "ExpiredSuppression",
    level: "Warning",
    summary: "A decision to ignore findings has come to its end.",
    message: ({ suppression, until }) => `${suppression} counted until ${until}`,
    hint: () => "Repair what it hid, or decide anew with a later date.",
  }),
  MSH0012: code<{ suppression: string; problem: string }>({
    name: "UnreadableSuppression",
    level: "Warning",
    summary: "A decision to ignore findings cannot be understood, so it ignores nothing.",
    message: ({ suppression, problem }) => `${suppression}: ${problem}`,
    hint: () => "Write # meshctl:ignore CODE reason, with until YYYY-MM-DD behind the reason where it shall end.",
  }),
} as const;
