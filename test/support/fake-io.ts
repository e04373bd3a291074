import type { Io } from "../../src/commands/io.ts";
import type { Cluster } from "../../src/resources/cluster.ts";

/** An Io whose output is kept, for commands tested in process. */
export interface FakeIo extends Io {
  readonly stdout: () => string;
  readonly stderr: () => string;
}

type FakeOptions = Omit<Partial<Io>, "cluster"> & {
  readonly cluster?: Cluster;
  readonly stdin?: string;
  /** What the user types when asked; without it nobody can be asked. */
  readonly answer?: string;
};

/** `cluster` is what io.cluster() gives; without one it fails as a test that needs none should. */
export function fakeIo({ cluster, stdin, answer, ...rest }: FakeOptions = {}): FakeIo {
  const out: string[] = [];
  const err: string[] = [];
  return {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    env: {},
    cwd: process.cwd(),
    isTTY: false,
    columns: 80,
    now: () => new Date("2026-11-21T07:00:00Z"),
    readStdin: () => Promise.resolve(stdin ?? ""),
    ...(answer === undefined ? {} : { ask: () => Promise.resolve(answer) }),
    cluster: () =>
      cluster === undefined ? Promise.reject(new Error("this test has no cluster")) : Promise.resolve(cluster),
    signal: new AbortController().signal,
    ...rest,
    stdout: () => out.join(""),
    stderr: () => err.join(""),
  };
}
