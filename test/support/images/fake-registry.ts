import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createHash } from "node:crypto";

/** What a registry does that the reference one does not. */
export interface Manners {
  /** Runs before the registry's own answer; true when it has answered, or broken the connection. */
  readonly first?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** It keeps lists of what refers to an image (OCI distribution 1.1). */
  readonly hasReferrers?: boolean;
}

/** A registry in memory, without TLS and users. */
export interface FakeRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** `METHOD /path` of every request. */
  readonly requests: readonly string[];
  readonly blobs: ReadonlyMap<string, Buffer>;
  /** By `repository:reference`. */
  readonly manifests: ReadonlyMap<string, Buffer>;
  stop(): void;
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Starts one on a free port. */
export async function startFakeRegistry(manners: Manners = {}): Promise<FakeRegistry> {
  const requests: string[] = [];
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, Buffer>();
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (manners.first?.(request, response) === true) return;
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => answer(request, response, Buffer.concat(parts)));
  });

  function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const url = new URL(request.url ?? "", "http://registry");
    const [, repository = "", what, name = ""] =
      /^\/v2\/(.+)\/(blobs|manifests|referrers)\/(.+)$/.exec(url.pathname) ?? [];
    const digest = url.searchParams.get("digest");
    const upload = `/v2/${repository}/blobs/uploads/1?state=x`;
    switch (`${request.method} ${what}`) {
      case "POST blobs":
        return void response.writeHead(202, { location: upload }).end();
      case "PUT blobs":
        return putBlob(response, digest, body);
      case "PUT manifests":
        return putManifest(response, { repository, name }, body);
      case "GET referrers":
        return listReferrers(response, repository, name);
      case "HEAD blobs":
      case "GET blobs":
        return give(request, response, blobs.get(name));
      default:
        return give(request, response, manifests.get(`${repository}:${name}`));
    }
  }

  function give(request: IncomingMessage, response: ServerResponse, found: Buffer | undefined): void {
    if (found === undefined) return void response.writeHead(404).end();
    const type = "application/vnd.oci.image.manifest.v1+json";
    response.writeHead(200, { "content-type": type, "content-length": found.length });
    response.end(request.method === "HEAD" ? undefined : found);
  }

  function putBlob(response: ServerResponse, digest: string | null, body: Buffer): void {
    if (digest !== digestOf(body))
      return void response.writeHead(400).end('{"errors":[{"code":"DIGEST_INVALID","message":"not these bytes"}]}');
    blobs.set(digest, body);
    response.writeHead(201).end();
  }

  function putManifest(response: ServerResponse, at: { repository: string; name: string }, body: Buffer): void {
    manifests.set(`${at.repository}:${at.name}`, body);
    manifests.set(`${at.repository}:${digestOf(body)}`, body);
    const { subject } = JSON.parse(body.toString()) as { subject?: { digest: string } };
    const isKept = subject !== undefined && manners.hasReferrers === true;
    response.writeHead(201, isKept ? { "oci-subject": subject.digest } : {}).end();
  }

  function listReferrers(response: ServerResponse, repository: string, digest: string): void {
    if (manners.hasReferrers !== true) return void response.writeHead(404).end();
    const about = [...manifests]
      .filter(([name, body]) => name.startsWith(`${repository}:sha256:`) && body.includes(`"digest":"${digest}"`))
      .map(([, body]) => ({
        body,
        manifest: JSON.parse(body.toString()) as { subject?: object; artifactType?: string },
      }))
      .filter(({ manifest }) => manifest.subject !== undefined);
    const list = about.map(({ body, manifest }) => ({
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: digestOf(body),
      size: body.length,
      artifactType: manifest.artifactType,
    }));
    response.writeHead(200, { "content-type": "application/vnd.oci.image.index.v1+json" });
    response.end(JSON.stringify({ schemaVersion: 2, manifests: list }));
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { host: `127.0.0.1:${port}`, requests, blobs, manifests, stop };
}
