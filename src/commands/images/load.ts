import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { EnvironmentError } from "../../base/errors.ts";
import { openLayout } from "../../images/layout.ts";
import { textOption } from "../input.ts";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { printOutput } from "./sources.ts";

interface Where {
  readonly address: string | undefined;
  readonly cluster: string | undefined;
}

type CommandLine = readonly string[];

/** Command lines that take an archive, by the program's name. Kubernetes' images lie in containerd's namespace k8s.io. */
const LOADERS: Readonly<Record<string, (archive: string, where: Where) => CommandLine>> = {
  ctr: (archive, { address }) => ["ctr", ...socket(address), "-n", "k8s.io", "images", "import", archive],
  nerdctl: (archive, { address }) => ["nerdctl", ...socket(address), "-n", "k8s.io", "load", "-i", archive],
  docker: (archive) => ["docker", "load", "-i", archive],
  podman: (archive) => ["podman", "load", "-i", archive],
  kind: (archive, { cluster }) => ["kind", "load", "image-archive", archive, ...named("--name", cluster)],
  k3s: (archive) => ["k3s", "ctr", "images", "import", archive],
  minikube: (archive, { cluster }) => ["minikube", ...named("-p", cluster), "image", "load", archive],
};

const socket = (address: string | undefined): CommandLine => named("--address", address);
const named = (flag: string, value: string | undefined): CommandLine => (value === undefined ? [] : [flag, value]);

/** `meshctl images load ARCHIVE...`: gives archives to a container runtime, by its own program. */
export async function load(input: CommandInput, io: Io): Promise<CommandResult> {
  const runtime = textOption(input, "with") ?? "ctr";
  const where = { address: textOption(input, "address"), cluster: textOption(input, "cluster") };
  const loaded: { archive: string; images: readonly string[] }[] = [];
  // all are read first: one that is no archive stops before anything is loaded
  for (const archive of input.args) {
    const { images } = await openLayout(resolve(io.cwd, archive));
    loaded.push({ archive, images: images.map(({ name }) => name) });
  }
  for (const { archive } of loaded) await runLoader(LOADERS[runtime]?.(resolve(io.cwd, archive), where) ?? [], io);
  const names = loaded.flatMap(({ images }) => images);
  const text = (): string => names.map((name) => `${name} loaded with ${runtime}\n`).join("");
  printOutput(input, io, { data: { with: runtime, images: names }, text });
  return { exitCode: 0 };
}

function runLoader([program = "", ...args]: CommandLine, io: Io): Promise<void> {
  return new Promise((done, reject) => {
    const child = spawn(program, args, {
      cwd: io.cwd,
      env: { ...io.env },
      signal: io.signal,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    child.stdout.on("data", (part: Buffer) => io.err(part.toString()));
    child.stderr.on("data", (part: Buffer) => (said += part.toString()));
    child.on("error", (cause: NodeJS.ErrnoException) => {
      const message =
        cause.code === "ENOENT" ? `${program} is not on PATH` : `${program} cannot be run: ${cause.message}`;
      reject(new EnvironmentError("no-runtime", message, { hint: "choose what takes the images with --with" }));
    });
    child.on("close", (code) => {
      if (code === 0) return done();
      const words = said.trim().split("\n").slice(-3).join("; ");
      const hint = "run it as a user who may change the runtime's images, on the node itself";
      return reject(new EnvironmentError("load-failed", `${[program, ...args].join(" ")} failed: ${words}`, { hint }));
    });
  });
}
