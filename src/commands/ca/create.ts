import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { EnvironmentError, errorText, UsageError } from "../../base/errors.ts";
import { CA_FILES, loadFiles } from "../../pki/authority-secret.ts";
import { type Ca, createRoot, type Validity } from "../../pki/ca.ts";
import { issueAuthority } from "../../pki/issue-authority.ts";
import type { KeyKind } from "../../pki/private-key.ts";
import { table } from "../../report/table.ts";
import { toYaml } from "../../resources/yaml-plain.ts";
import { textOption } from "../input.ts";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { subjectOf } from "./holders.ts";

/** One file that `ca create` wrote: schemas/output/ca-create.schema.json. Keys are never printed. */
export interface CreatedFile {
  readonly file: string;
  readonly holds: string;
  /** ISO time; empty for keys. */
  readonly notAfter: string;
}

const ROOT_KEY = "root-key.pem";
const DAY_MS = 24 * 3600_000;
const SKEW_MS = 2 * 60_000;

/**
 * `meshctl ca create`: an authority for the mesh in a folder, under the names that Secret `cacerts` wants, and the root above it
 * when no folder with one is given. Nothing that is there is overwritten.
 */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const out = textOption(input, "out") ?? "ca";
  const rootFolder = textOption(input, "root");
  const trustDomain = textOption(input, "trustDomain") ?? "cluster.local";
  const kind: KeyKind = textOption(input, "key") === "rsa" ? "rsa" : "ecdsa";
  const stamp = io.now().toISOString().slice(0, 19);
  const commonName = textOption(input, "name") ?? `mesh ${stamp}`;
  const root =
    rootFolder === undefined
      ? await createRoot(trustDomain, validity(input, { flag: "rootDays", usual: 3650, now: io.now() }), {
          commonName: `mesh root ${stamp}`,
          kind,
        })
      : await readRoot(rootFolder, io.cwd);
  const span = validity(input, { flag: "days", usual: 730, now: io.now() });
  const ca = await issueAuthority(root, { trustDomain, commonName, kind, validity: span });
  const written = await write({ folder: out, cwd: io.cwd }, filesOf(ca, root, rootFolder === undefined));
  print(written, textOption(input, "output"), io);
  io.err(
    `Keep ${rootFolder === undefined ? join(out, ROOT_KEY) : join(rootFolder, ROOT_KEY)} away from the cluster. To sign with it: meshctl ca rotate --from ${out}\n`,
  );
  return { exitCode: 0 };
}

function validity(
  input: CommandInput,
  { flag, usual, now }: { readonly flag: string; readonly usual: number; readonly now: Date },
): Validity {
  const text = textOption(input, flag) ?? String(usual);
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1 || days > 36_500)
    throw new UsageError(`expected a number of days from 1 to 36500, got "${text}"`);
  return { notBefore: new Date(now.getTime() - SKEW_MS), notAfter: new Date(now.getTime() + days * DAY_MS) };
}

/** The root of a folder that an earlier `ca create` wrote. */
async function readRoot(folder: string, cwd: string): Promise<Ca> {
  const read = (name: string): Promise<string | undefined> =>
    readFile(resolve(cwd, folder, name), "utf8").catch(() => undefined);
  const [certificate, key] = await Promise.all([read(CA_FILES.roots), read(ROOT_KEY)]);
  if (certificate === undefined || key === undefined)
    throw new UsageError(
      `--root: expected a folder with ${CA_FILES.roots} and ${ROOT_KEY}, got ${folder}`,
      "Name the folder that meshctl ca create made the root in.",
    );
  return loadFiles(
    { certificate, key, chain: undefined, roots: undefined },
    { where: `folder ${folder}`, needsRoots: false },
  );
}

interface Wanted {
  readonly name: string;
  readonly holds: string;
  readonly text: string;
  readonly notAfter: string;
}

function filesOf(ca: Ca, root: Ca, withRootKey: boolean): readonly Wanted[] {
  const until = (one: Ca): string => one.notAfter.toISOString();
  const key = (name: string, of: Ca): Wanted => ({
    name,
    holds: `private key of ${subjectOf(of.certificate)}`,
    text: of.key.pem(),
    notAfter: "",
  });
  const certificate = (name: string, of: Ca, text: string): Wanted => ({
    name,
    holds: subjectOf(of.certificate),
    text,
    notAfter: until(of),
  });
  return [
    certificate(CA_FILES.certificate, ca, ca.certificate),
    key(CA_FILES.key, ca),
    certificate(CA_FILES.chain, ca, ca.intermediates.join("")),
    certificate(CA_FILES.roots, root, root.certificate),
    ...(withRootKey ? [key(ROOT_KEY, root)] : []),
  ];
}

async function write(
  { folder, cwd }: { readonly folder: string; readonly cwd: string },
  files: readonly Wanted[],
): Promise<readonly CreatedFile[]> {
  await mkdir(resolve(cwd, folder), { recursive: true });
  for (const { name, text } of files) {
    const path = join(folder, name);
    try {
      await writeFile(resolve(cwd, path), text, { mode: 0o600, flag: "wx" });
    } catch (cause) {
      throw new EnvironmentError("ca-file", `${path} cannot be written: ${errorText(cause)}`, {
        hint: "Name another folder by --out.",
        cause,
      });
    }
  }
  return files.map(({ name, holds, notAfter }) => ({ file: join(folder, name), holds, notAfter }));
}

function print(files: readonly CreatedFile[], output: string | undefined, io: Io): void {
  if (output === "json") io.out(`${JSON.stringify(files, undefined, 2)}\n`);
  else if (output === "yaml") io.out(toYaml(files));
  else
    io.out(
      table(
        ["FILE", "HOLDS", "UNTIL"],
        files.map(({ file, holds, notAfter }) => [file, holds, notAfter.slice(0, 10)]),
      ),
    );
}
