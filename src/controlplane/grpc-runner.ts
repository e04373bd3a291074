import { adsService, type XdsAcceptor } from "../grpc/ads-server.ts";
import { caService } from "../grpc/ca-server.ts";
import type { ServerIdentity } from "../grpc/mixed-credentials.ts";
import { type GrpcServer, startGrpcServer } from "../grpc/server.ts";
import type { SigningFacts, SigningResult } from "./audit.ts";
import { renewServing } from "./authority-runner.ts";
import type { AutoRegistration } from "./auto-registration.ts";
import { createExternalSigner } from "./external-signer.ts";
import { peerLabelsOf } from "./pods.ts";
import type { MonitoringDeps } from "./debug.ts";
import type { Runner } from "./runner.ts";
import type { SecretWatches } from "./secret-watches.ts";
import { servingTls } from "./serving-tls.ts";
import type { Shared } from "./shared.ts";
import { signsWorkloads } from "./signs-workloads.ts";
import { createSigner, LIFETIMES, type SigningDeps } from "./signing.ts";
import { limitSigning } from "./signing-limits.ts";
import { toldTrust, trustMaps } from "./trust-maps.ts";
import { withDebug } from "./xds-debug.ts";
import { createXdsAcceptor, type XdsServerDeps } from "./xds-server.ts";

const GRACE_MS = 1_000;

/** Consumes the CA, the World and the compiled mesh; offers xDS and signing on 15012. */
export function createGrpcRunner(
  shared: Shared,
  {
    questions,
    ...parts
  }: {
    readonly secrets: SecretWatches;
    readonly registration: AutoRegistration;
    /** What questions to the control plane itself are answered from. */
    readonly questions: MonitoringDeps;
  },
): Runner {
  const { options, state, metrics, onFault } = shared;
  let server: GrpcServer | undefined;
  let renewal = (): void => {};
  const acceptor = withDebug(xdsAcceptorOf(shared, parts), { ...shared, questions, instance: options.instance });
  const onSigned = (result: SigningResult, facts: SigningFacts): void => {
    metrics.signing(result);
    shared.audit.signed(result, facts);
  };
  const sign = createSigner({
    ca: shared.authority.ca,
    roots: shared.authority.bundle,
    external: externalOf(shared),
    lifetimes: options.lifetimes ?? LIFETIMES,
    authenticate: shared.authenticate,
    peerOf: (caller, peer) => peerLabelsOf(shared, caller, peer),
    now: Date.now,
    onResult: onSigned,
  });
  const limited = limitSigning(sign, { onLimited: (facts) => onSigned("limited", facts) });
  return {
    name: "grpc",
    async start() {
      if (shared.abort.signal.aborted) return;
      const identity = async (): Promise<ServerIdentity> => ({
        ...(await shared.authority.serving(options)),
        tls: servingTls(state.meshConfig(), options.compliance),
      });
      const services = [
        adsService(acceptor, onFault),
        ...(signsWorkloads(options) ? [caService(limited, onFault)] : []),
      ];
      server = await startGrpcServer(options.listen.secureGrpc, await identity(), services);
      shared.ports.secureGrpc = server.port;
      renewal = renewServing(shared, async () => server?.update(await identity()));
    },
    async close() {
      renewal();
      for (const stream of shared.streams) stream.end();
      await server?.close(GRACE_MS);
    },
  };
}

function xdsAcceptorOf(shared: Shared, parts: Pick<XdsServerDeps, "secrets" | "registration">): XdsAcceptor {
  const { options, state, metrics, onFault } = shared;
  const maps = trustMaps(shared);
  return createXdsAcceptor({
    state,
    toldTrust: () => toldTrust(maps),
    clusters: shared.clusters,
    ...parts,
    remoteSecrets: (clusterId) => shared.remotes?.secrets(clusterId),
    streams: shared.streams,
    authenticate: shared.authenticate,
    notReady: () => (shared.live.synced ? undefined : "the control plane is not in sync with the cluster yet"),
    metrics,
    log: options.log,
    instance: options.instance,
    onFault,
  });
}

function externalOf({ options: { externalCa, cluster, log }, authority }: Shared): SigningDeps["external"] {
  return externalCa && createExternalSigner({ cluster, roots: authority.bundle, external: externalCa, log });
}
