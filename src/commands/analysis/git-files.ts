import { spawn } from "node:child_process";
import { relative, resolve, sep } from "node:path";
import { EnvironmentError, errorText } from "../../base/errors.ts";
import type { SourceText } from "../../resources/manifests.ts";
import { decodeText } from "../decode-text.ts";
import type { Io } from "../io.ts";

/**
 * The files of a git revision that the names of this run mean: each named file, and the manifests below each named folder.
 * Works from any folder of the repository. Throws EnvironmentError where git, the repository or the revision is missing.
 */
export async function readGitFiles(
  revision: string,
  names: readonly string[],
  io: Pick<Io, "cwd" | "env">,
): Promise<readonly SourceText[]> {
  const root = (await git(["rev-parse", "--show-toplevel"], io)).trim();
  await git(["rev-parse", "--verify", "--quiet", `${revision}^{commit}`], io, `there is no revision ${revision}`);
  // git tells the real path, the working folder may be a link to it
  const prefix = (await git(["rev-parse", "--show-prefix"], io)).trim();
  const here = resolve(root, prefix);
  const wanted = names.map((name) => inside(root, resolve(here, relative(io.cwd, resolve(io.cwd, name)))));
  const listed = await git(["ls-tree", "-r", "-z", "--name-only", "--full-tree", revision], io);
  const files = listed.split("\0").filter((file) => file !== "" && wanted.some((name) => isMeant(file, name)));
  const texts = await contents(revision, files, io);
  return files.map((file, index) => ({
    file: relative(here, resolve(root, file)).split(sep).join("/"),
    text: texts[index] ?? "",
  }));
}

function inside(root: string, path: string): string {
  return relative(root, path).split(sep).join("/");
}

/** What a folder's reading takes: manifests, none of hidden folders or of packages. */
function isManifestPath(path: string): boolean {
  const folders = path.split("/");
  return /\.(?:ya?ml|json)$/i.test(path) && folders.every((name) => !name.startsWith(".") && name !== "node_modules");
}

function isMeant(file: string, name: string): boolean {
  if (file === name) return true;
  const below = name === "" ? file : file.startsWith(`${name}/`) ? file.slice(name.length + 1) : undefined;
  return below !== undefined && isManifestPath(below);
}

/** The texts of files at a revision, by one `git cat-file --batch`. */
async function contents(
  revision: string,
  files: readonly string[],
  io: Pick<Io, "cwd" | "env">,
): Promise<readonly string[]> {
  if (files.length === 0) return [];
  const input = files.map((file) => `${revision}:${file}\n`).join("");
  const output = await run(["cat-file", "--batch"], io, input);
  const texts: string[] = [];
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf(10, at);
    const [, , size = "0"] = output.subarray(at, end).toString().split(" ");
    texts.push(decodeText(output.subarray(end + 1, end + 1 + Number(size)), files[texts.length] ?? ""));
    at = end + 1 + Number(size) + 1;
  }
  return texts;
}

async function git(args: readonly string[], io: Pick<Io, "cwd" | "env">, failure?: string): Promise<string> {
  return (await run(args, io, "", failure)).toString("utf8");
}

function run(
  args: readonly string[],
  { cwd, env }: Pick<Io, "cwd" | "env">,
  input: string,
  failure?: string,
): Promise<Buffer> {
  const hint = "Run in a git repository, and name a commit, branch or tag that is there (CI: fetch enough history).";
  return new Promise((resolveOutput, reject) => {
    const child = spawn("git", [...args], { cwd, env: env as NodeJS.ProcessEnv, stdio: "pipe" });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => void out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => void err.push(chunk));
    child.stdin.on("error", () => undefined);
    child.on("error", (error) =>
      reject(new EnvironmentError("no-git", `git cannot be run: ${errorText(error)}`, { hint: "Install git." })),
    );
    child.on("close", (code) => {
      if (code === 0) return resolveOutput(Buffer.concat(out));
      const said = Buffer.concat(err).toString().trim().split("\n")[0] ?? "";
      reject(new EnvironmentError("git-failed", failure ?? `git ${args[0] ?? ""} failed: ${said}`, { hint }));
    });
    child.stdin.end(input);
  });
}
