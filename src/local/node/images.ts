import type { Container } from "../shapes.ts";

/** Where the node finds the programs that images stand for. */
export interface Programs {
  /** Folder with `bin/`, `dist/`, `samples/` of this package, readable by every user a container may run as. */
  readonly packageDir: string;
  /** PATH of containers: first a folder with `node`, `envoy`, `meshd` and `mesh-agent`. */
  readonly path: string;
}

/** What an image is on this node. */
export interface LocalImage {
  /** How it is called in messages and statuses. */
  readonly id: string;
  readonly entrypoint: readonly string[];
  /** User when the pod names none; undefined: as the node itself. */
  readonly uid: number | undefined;
  /** The container's root shows the package's folders, as our images do. */
  readonly ownFiles: boolean;
  /** An unknown image, replaced by an echo server. */
  readonly standIn: boolean;
}

const NOBODY = 65534;
const DEFAULT_PORT = 8080;
const ECHO = ["node", "samples/app/echo.mjs"];

/** `image -> shell command` as the user gave it. */
export type ImageMap = ReadonlyMap<string, string>;

/** `docker.io/meshctl/proxy:1.2@sha256:…` is `meshctl/proxy`; other registries stay. */
export function repositoryOf(image: string): string {
  const plain = image.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
  return plain.replace(/^(index\.)?docker\.io\//, "").replace(/^library\//, "");
}

/** What runs for an image: the user's mapping, one of ours, or an echo server. */
export function resolveImage(image: string, map: ImageMap): LocalImage {
  const repository = repositoryOf(image);
  const command = map.get(image) ?? [...map].find(([key]) => repositoryOf(key) === repository)?.[1];
  if (command !== undefined) {
    const entrypoint = ["sh", "-c", `exec ${command} "$@"`, "sh"];
    return { id: `local://map/${repository}`, entrypoint, uid: undefined, ownFiles: false, standIn: false };
  }
  const own: Readonly<Record<string, readonly string[]>> = {
    "meshctl/meshd": ["node", "bin/meshd.js"],
    "meshctl/proxy": ["node", "bin/mesh-agent.js"],
    "meshctl/samples": ["node", "samples/app/server.mjs"],
    "hashicorp/http-echo": ECHO,
  };
  const entrypoint = own[repository];
  if (entrypoint !== undefined) {
    return { id: `local://${repository}`, entrypoint, uid: NOBODY, ownFiles: true, standIn: false };
  }
  return { id: `local://echo/${repository}`, entrypoint: ECHO, uid: NOBODY, ownFiles: true, standIn: true };
}

/**
 * The command line of a container before `$(VAR)` is replaced: command over entrypoint, args after it. What stands in for an
 * unknown image runs none of that (it was meant for the inside of the image); where the container is to end, it ends at once.
 */
export function commandLine(container: Container, image: LocalImage, place: CommandPlace): readonly string[] {
  if (!image.standIn) return [...(container.command ?? image.entrypoint), ...(container.args ?? [])];
  const words = `stand-in for ${container.image ?? "an image"}`;
  if (place.ends) return ["echo", words];
  const port = place.realPort(container.ports?.[0]?.containerPort ?? DEFAULT_PORT);
  return [...image.entrypoint, `-listen=:${port}`, `-text=${words}`];
}

/** What a stand-in has to know. */
export interface CommandPlace {
  /** The container is expected to come to an end. */
  readonly ends: boolean;
  readonly realPort: (port: number) => number;
}

/** `IMAGE=CMD` of `--map`. Undefined when it has no `=`. */
export function parseMapping(text: string): readonly [string, string] | undefined {
  const at = text.indexOf("=");
  return at <= 0 || at === text.length - 1 ? undefined : [text.slice(0, at), text.slice(at + 1)];
}
