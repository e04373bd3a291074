import { type CommandSpec, outputOption } from "./types.ts";

const skipConfirmation = {
  flags: "-y, --skip-confirmation",
  summary: "do not ask before changing the cluster",
  default: false,
} as const;

/** Commands about the mesh's certificate authority. */
export const caCommands: readonly CommandSpec[] = [
  {
    name: "ca create",
    summary: "Make an authority for the mesh in a folder, under the names that Secret cacerts wants",
    options: [
      {
        flags: "--out <folder>",
        summary: "folder to write to; files that are there are left",
        default: "ca",
        complete: "folder",
      },
      {
        flags: "--root <folder>",
        summary: "folder with root-cert.pem and root-key.pem, by an earlier run; default: a new root",
        complete: "folder",
      },
      {
        flags: "--trust-domain <name>",
        summary: "organisation of the certificates",
        default: "cluster.local",
        complete: [],
      },
      { flags: "--name <name>", summary: "common name of the authority; default: mesh and the time", complete: [] },
      { flags: "--key <kind>", summary: "kind of keys", default: "ecdsa", choices: ["ecdsa", "rsa"] },
      { flags: "--days <number>", summary: "lifetime of the authority", default: "730", complete: [] },
      { flags: "--root-days <number>", summary: "lifetime of a new root", default: "3650", complete: [] },
      outputOption,
    ],
    examples: [
      { line: "meshctl ca create --out ca", summary: "a root and an authority below it" },
      {
        line: "meshctl ca create --out ca-west --root ca --name west",
        summary: "another authority below the same root, for another cluster",
      },
    ],
    load: async () => (await import("../commands/ca/create.ts")).run,
  },
  {
    name: "ca revoke",
    summary: "Have every proxy refuse certificates from the next handshake on",
    args: [
      {
        flags: "[serial...]",
        summary: "serial numbers in hexadecimal, as ca status -o json prints them",
        complete: [],
      },
    ],
    options: [
      {
        flags: "--pod <pod>",
        summary: "what this pod holds now: name, name.namespace or deploy/name.namespace",
        repeatable: true,
        complete: "workload",
      },
      { flags: "--timeout <duration>", summary: "how long to wait for the proxies", default: "5m" },
      skipConfirmation,
    ],
    examples: [
      {
        line: "meshctl ca revoke --pod web-7d4b9.shop",
        summary: "of one pod; exit code 1 when a proxy does not check it yet",
      },
      { line: "meshctl ca revoke 5f3a90c1 -y", summary: "by serial number, without asking" },
    ],
    load: async () => (await import("../commands/ca/revoke.ts")).run,
  },
  {
    name: "ca rotate",
    summary: "Take the mesh to another authority without a failed request; a run that ended is gone on with",
    options: [
      {
        flags: "--from <folder>",
        summary: "files of the next authority, as ca create writes them; default: a new root of the mesh's own",
        complete: "folder",
      },
      { flags: "--step", summary: "stop after one phase", default: false },
      { flags: "--abort", summary: "give it up, as long as the next authority signs nothing", default: false },
      {
        flags: "--ignore <proxy>",
        summary: "do not wait for this proxy, name.namespace",
        repeatable: true,
        complete: "workload",
      },
      { flags: "--timeout <duration>", summary: "how long to wait for the proxies in each phase", default: "15m" },
      skipConfirmation,
    ],
    examples: [
      { line: "meshctl ca rotate", summary: "to a new root: trusted everywhere, then signing, then the old one goes" },
      { line: "meshctl ca rotate --from ca", summary: "to an authority of your own" },
      { line: "meshctl ca rotate --step -y", summary: "phase by phase" },
    ],
    load: async () => (await import("../commands/ca/rotate.ts")).run,
  },
  {
    name: "ca status",
    summary: "Who signs, which roots are trusted, and whether every proxy has them and a certificate below them",
    options: [outputOption],
    examples: [
      { line: "meshctl ca status", summary: "exit code 1 when a proxy trusts too little, or an end is near" },
      { line: "meshctl ca status -o json", summary: "for programs, with serial numbers" },
    ],
    load: async () => (await import("../commands/ca/status.ts")).run,
  },
];
