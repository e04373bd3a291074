import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { main } from "../../src/cli.ts";
import { createRoot, issueServing } from "../../src/pki/ca.ts";
import { fakeIo } from "./fake-io.ts";

/** A valid mesh of test/corpus: one text per file, certificates filled in. */
export interface CorpusMesh {
  readonly name: string;
  readonly files: readonly { readonly file: string; readonly text: string }[];
}

const folder = join(import.meta.dirname, "../corpus");

/**
 * Every mesh of the corpus. No key is kept in the repository, so the files have holes which are filled anew each time, all by one
 * authority: `{{certificate HOST,…}}` and `{{private-key HOST,…}}` (a pair for these names), `{{authority}}` (all three in base64),
 * `{{authority-text N}}` (the authority's PEM, indented by N).
 */
export async function readCorpus(now = new Date()): Promise<readonly CorpusMesh[]> {
  const fill = await filler(now);
  const meshes: CorpusMesh[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true }).filter((each) => each.isDirectory())) {
    const files: { file: string; text: string }[] = [];
    for (const file of readdirSync(join(folder, entry.name)).toSorted())
      files.push({ file, text: await fill(readFileSync(join(folder, entry.name, file), "utf8")) });
    meshes.push({ name: entry.name, files });
  }
  return meshes;
}

const HOLE = /\{\{(certificate|private-key|authority-text|authority) ?([^}]*)\}\}/g;

async function filler(now: Date): Promise<(text: string) => Promise<string>> {
  const validity = { notBefore: new Date(now.getTime() - 60_000), notAfter: new Date(now.getTime() + 90 * 86_400_000) };
  const authority = await createRoot("example.com", validity);
  const pairs = new Map<string, Promise<{ readonly certificate: string; readonly key: string }>>();
  const pairOf = (hosts: string): Promise<{ readonly certificate: string; readonly key: string }> => {
    const known = pairs.get(hosts);
    if (known !== undefined) return known;
    const made = issueServing(authority, { dns: hosts.split(",") }, validity).then(({ certificate, key }) => ({
      certificate,
      key: key.pem(),
    }));
    pairs.set(hosts, made);
    return made;
  };
  const content = async (what: string, argument: string): Promise<string> => {
    if (what === "authority") return base64(authority.certificate);
    if (what === "authority-text") return authority.certificate.trim().replaceAll(/^/gm, " ".repeat(Number(argument)));
    const pair = await pairOf(argument);
    return base64(what === "certificate" ? pair.certificate : pair.key);
  };
  return async (text) => {
    const parts: string[] = [];
    let end = 0;
    for (const match of text.matchAll(HOLE)) {
      parts.push(text.slice(end, match.index), await content(match[1] ?? "", match[2] ?? ""));
      end = match.index + match[0].length;
    }
    return [...parts, text.slice(end)].join("");
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** What a command printed, as a user sees it. */
export interface Printed {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line in this process, without a cluster. */
export async function runCli(argv: readonly string[], stdin = ""): Promise<Printed> {
  const io = fakeIo({ stdin, now: () => new Date() });
  const exitCode = await main(argv, io);
  return { exitCode, stdout: io.stdout(), stderr: io.stderr() };
}

/** A finding of `analyze -o json`, as far as tests of meshes look at it. */
export interface ReportedFinding {
  readonly code: string;
  readonly origin: string;
  readonly reference: string;
  readonly message: string;
}

/** The findings of a JSON report without what has no effect in this mesh: true, but nothing that is wrong with the input. */
export function findingsOf(report: string): readonly ReportedFinding[] {
  const findings = JSON.parse(report) as readonly ReportedFinding[];
  return findings.filter(({ message }) => !message.includes("accepted, has no effect"));
}
