import { compact } from "../base/compact.ts";
import { ImageError } from "./oci.ts";

/** What an image is called: `registry/repository:tag@digest`. */
export interface Reference {
  /** Host and perhaps port: `docker.io`, `localhost:5000`. */
  readonly registry: string;
  /** `meshctl/meshd`; on docker.io `library/` stands before names without a folder. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

const HUB = "docker.io";
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*$/;
const HOST = String.raw`(?<registry>localhost(?::\d+)?|(?=[^/]*[.:])(?:\[[0-9a-f:]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)(?::\d+)?)`;
const NAME = new RegExp(
  String.raw`^(?:${HOST}\/)?(?<path>[^:@]+)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$`,
);

/** Reads an image name as container runtimes do: a first part with a dot, a port or `localhost` is a registry. Throws ImageError. */
export function parseReference(text: string): Reference {
  const { registry = HUB, path = "", tag, digest } = NAME.exec(text)?.groups ?? {};
  const isHub = registry === HUB || registry === `index.${HUB}`;
  const repository = isHub && !path.includes("/") ? `library/${path}` : path;
  if (!REPOSITORY.test(repository))
    throw new ImageError("image-name", `expected an image name such as registry.example/mesh/meshd:1.0, got "${text}"`);
  return compact({ registry: isHub ? HUB : registry, repository, tag, digest });
}

/** The whole name, as nodes list it. A name without tag and digest means `latest`. */
export function referenceText({ registry, repository, tag, digest }: Reference): string {
  const name = `${registry}/${repository}`;
  if (digest !== undefined) return `${name}${tag === undefined ? "" : `:${tag}`}@${digest}`;
  return `${name}:${tag ?? "latest"}`;
}
