import { X509Certificate } from "node:crypto";
import { PEER_KEYS, type PeerLabels, peerLabel } from "../../../src/base/peer.ts";
import { adsService, type DeltaRequest, type XdsConnection, type XdsHandler } from "../../../src/grpc/ads-server.ts";
import { caService, type SigningAnswer, type SigningRequest } from "../../../src/grpc/ca-server.ts";
import { startGrpcServer } from "../../../src/grpc/server.ts";
import { type Ca, createRoot, issueServing, signWorkload } from "../../../src/pki/ca.ts";
import { Pkcs10CertificateRequest, SubjectAlternativeNameExtension } from "../../../src/pki/x509.ts";
import { encodeMessage, type TypedAny } from "../../../src/wire/codec.ts";

/** A CA and a delta ADS server with fixed resources, of the repository's own parts: as much of meshd as an agent sees. */
export interface TestControlPlane {
  readonly port: number;
  readonly root: Ca;
  /** How each certificate was asked for, in order. */
  readonly signed: readonly Signed[];
  /** Refuse the next requests that come with a certificate. */
  refuseCertificates: boolean;
  /** URI of the client certificate of each ADS stream. */
  readonly streams: readonly string[];
  /** Names in the requests for certificates, in order. */
  readonly asked: readonly string[];
  /** What agents said of their application's health, in order: "well", or what is lacking. */
  readonly words: readonly string[];
  /** Ends the server and leaves everything else. */
  goAway(): Promise<void>;
  /** Listens again at the same port. */
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

export interface Signed {
  readonly by: "token" | "certificate";
  readonly serial: string;
  readonly serviceAccount: string;
}

export interface Account {
  readonly namespace: string;
  readonly serviceAccount: string;
}

export interface TestControlPlaneOptions {
  /** Whose token it is, or why it is refused. */
  readonly accountOf: (token: string | undefined) => Account | string;
  readonly ttlSeconds: number;
  readonly resources: readonly TypedAny[];
}

const SERVER_NAME = "istiod.istio-system.svc";
const HOUR = 3_600_000;

/** Listens on loopback, any port. */
export async function startTestControlPlane(options: TestControlPlaneOptions): Promise<TestControlPlane> {
  const now = Date.now();
  const root = await createRoot("cluster.local", {
    notBefore: new Date(now - HOUR),
    notAfter: new Date(now + 24 * HOUR),
  });
  const validity = { notBefore: new Date(now - 60_000), notAfter: new Date(now + HOUR) };
  const serving = await issueServing(root, { dns: [SERVER_NAME] }, validity);
  const signed: Signed[] = [];
  const streams: string[] = [];
  const faults: unknown[] = [];
  const asked: string[] = [];
  const words: string[] = [];
  const plane = { refuseCertificates: false };
  const sign = async (request: SigningRequest): Promise<SigningAnswer> => {
    const { certificate, bearer } = request.peer;
    const by = certificate === undefined ? "token" : "certificate";
    const account = certificate === undefined ? options.accountOf(bearer) : accountIn(certificate);
    if (typeof account === "string") return { refusal: { status: "UNAUTHENTICATED", details: account } };
    if (by === "certificate" && plane.refuseCertificates) {
      return { refusal: { status: "UNAUTHENTICATED", details: "certificate of a pod that is gone" } };
    }
    const names = new Pkcs10CertificateRequest(request.csr).extensions
      .filter((extension) => extension instanceof SubjectAlternativeNameExtension)
      .flatMap((extension) => extension.names.items.map(({ value }) => value));
    asked.push(names.join());
    const from = Date.now();
    const peer = Object.fromEntries(PEER_KEYS.map((key) => [key, peerLabel(key, undefined)])) as PeerLabels;
    const subject = { identity: { trustDomain: "cluster.local", ...account }, peer };
    const lifetime = { notBefore: new Date(from - 1_000), notAfter: new Date(from + options.ttlSeconds * 1000) };
    const leaf = await signWorkload(root, request.csr, subject, lifetime);
    signed.push({ by, serial: new X509Certificate(leaf).serialNumber, serviceAccount: account.serviceAccount });
    return { chain: [leaf, root.certificate] };
  };
  const start = (port: number): ReturnType<typeof startGrpcServer> =>
    startGrpcServer(
      { host: "127.0.0.1", port },
      { certificate: serving.certificate, key: serving.key, clientRoots: root.certificate },
      [
        caService(sign, (error) => faults.push(error)),
        adsService(
          {
            delta: (connection) => fixedResources(connection, options.resources, { streams, words }),
            sotw: () => {
              throw new Error("the bootstrap asks for delta");
            },
          },
          (error) => faults.push(error),
        ),
      ],
    );
  let server = await start(0);
  const { port } = server;
  return Object.assign(plane, {
    port,
    root,
    signed,
    streams,
    asked,
    words,
    goAway: () => server.close(0),
    async comeBack() {
      server = await start(port);
    },
    close: () => server.close(0),
  });
}

function accountIn(certificate: Buffer): Account | string {
  const name = new X509Certificate(certificate).subjectAltName ?? "";
  const [, namespace, serviceAccount] = /\/ns\/([^/]+)\/sa\/([^/,]+)/.exec(name) ?? [];
  return namespace === undefined || serviceAccount === undefined ? `nobody's: ${name}` : { namespace, serviceAccount };
}

/** Answers the first request of each type with all resources of the type. */
function fixedResources(
  connection: XdsConnection,
  resources: readonly TypedAny[],
  { streams, words }: { readonly streams: string[]; readonly words: string[] },
): XdsHandler<DeltaRequest> {
  const { certificate } = connection.peer;
  streams.push(certificate === undefined ? "none" : (new X509Certificate(certificate).subjectAltName ?? ""));
  const answered = new Set<string>();
  return {
    request: (request) => {
      const type = request.type_url ?? "";
      if (type === "type.googleapis.com/istio.v1.HealthInformation") {
        words.push(request.error_detail === undefined ? "well" : (request.error_detail.message ?? ""));
        return;
      }
      if (answered.has(type)) return;
      answered.add(type);
      const found = resources.filter((resource) => resource["@type"] === type);
      const message = {
        type_url: type,
        nonce: String(answered.size),
        resources: found.map((resource) => ({
          name: String(resource["name"] ?? resource["cluster_name"]),
          version: "1",
          resource,
        })),
      };
      connection.send(encodeMessage("envoy.service.discovery.v3.DeltaDiscoveryResponse", message));
    },
    drained: () => undefined,
    closed: () => undefined,
  };
}
