import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { findCredentials } from "../../images/docker-config.ts";
import { openLayout } from "../../images/layout.ts";
import { type Image, ImageError } from "../../images/oci.ts";
import { parseReference } from "../../images/reference.ts";
import { openRegistry, readRegistryImage, type Registry } from "../../images/registry.ts";
import { toYaml } from "../../resources/yaml-plain.ts";
import { switchOption, textOption } from "../input.ts";
import type { CommandInput, Io } from "../io.ts";

/** Registries of one run: each is opened once, with the credentials that docker and its like keep for it. */
export interface Registries {
  open(host: string): Promise<Registry>;
  close(): void;
}

/** By the flags --ca-file and --plain-http. */
export function openRegistries(input: CommandInput, io: Pick<Io, "env" | "cwd" | "signal">): Registries {
  const open = new Map<string, Promise<Registry>>();
  async function make(host: string): Promise<Registry> {
    const file = textOption(input, "caFile");
    const ca = file === undefined ? undefined : await readCa(resolve(io.cwd, file));
    const credentials = await findCredentials(host, io.env);
    return openRegistry(host, { credentials, ca, isPlain: switchOption(input, "plainHttp"), signal: io.signal });
  }
  return {
    open(host) {
      const known = open.get(host) ?? make(host);
      open.set(host, known);
      return known;
    },
    close() {
      for (const each of open.values()) each.then((registry) => registry.close()).catch(() => undefined);
    },
  };
}

async function readCa(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text?.includes("BEGIN CERTIFICATE") === true) return text;
  throw new ImageError(
    "registry-ca",
    `${path}: expected certificates in PEM${text === undefined ? ", the file cannot be read" : ""}`,
  );
}

/** The images of sources: a path that exists is an archive or folder, anything else the name of an image in a registry. */
export async function readSourceImages(
  sources: readonly string[],
  registries: Registries,
  io: Pick<Io, "cwd">,
): Promise<readonly Image[]> {
  const images: Image[] = [];
  for (const source of sources) {
    const path = resolve(io.cwd, source);
    if (existsSync(path) || isPath(source)) images.push(...(await openLayout(path)).images);
    else images.push(await readRegistryImage(await registries.open(parseReference(source).registry), source));
  }
  return images;
}

/** Meant as a file even when there is none of that name. */
function isPath(source: string): boolean {
  return /^[./~]/.test(source) || /\.(tar|tgz|gz)$/.test(source);
}

/** Data for programs, or text for people. */
export function printOutput(
  input: CommandInput,
  io: Io,
  { data, text }: { readonly data: unknown; readonly text: () => string },
): void {
  const output = textOption(input, "output");
  if (output === "json") io.out(`${JSON.stringify(data, undefined, 2)}\n`);
  else if (output === "yaml") io.out(toYaml(data));
  else io.out(text());
}

/** `12.3 MB` */
export function sizeText(bytes: number): string {
  return bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
