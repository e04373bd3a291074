import { createServer } from "node:https";
import { HANDSHAKE_MS, type ServingTls } from "../grpc/mixed-credentials.ts";
import { admit } from "./admission.ts";
import type { Audit } from "./audit.ts";
import { type AuthorityRunner, renewServing } from "./authority-runner.ts";
import { BodyError, createBodies } from "./bodies.ts";
import { answering, type ListenAddress, type Listening, listen } from "./http.ts";
import { createInjector } from "./injector.ts";
import type { Compliance } from "../model/generated-options.ts";
import type { Metrics } from "./metrics.ts";
import type { Runner } from "./runner.ts";
import { servingTls } from "./serving-tls.ts";
import type { State } from "./state.ts";
import { type AdmissionRequest, answerWebhook } from "./webhook.ts";

/** What the webhooks answer from, and where. */
export interface WebhookRunnerDeps {
  readonly options: {
    readonly namespace: string;
    readonly revision: string;
    readonly hosts?: readonly string[];
    readonly nativeSidecars?: string | undefined;
    readonly compliance?: Compliance | undefined;
    readonly listen: { readonly https: ListenAddress };
  };
  readonly state: State;
  readonly metrics: Metrics;
  readonly authority: AuthorityRunner;
  readonly audit: Audit;
  readonly abort: AbortController;
  readonly onFault: (error: unknown) => void;
  readonly ports: { https: number };
}

/** Consumes the CA and the World; offers /inject and /validate. */
export function createWebhookRunner(shared: WebhookRunnerDeps): Runner {
  const { options, state, metrics, onFault } = shared;
  let listening: Listening | undefined;
  let renewal = (): void => {};
  const inject = createInjector({
    world: state.world,
    worldOf: (clusterId) => state.remotes.list().find((remote) => remote.clusterId === clusterId)?.world,
    derivations: state.derivations,
    rootNamespace: options.namespace,
    revision: options.revision,
    nativeSidecars: options.nativeSidecars,
    meshConfig: () => state.meshConfig().raw,
  });
  const deps = {
    bodies: createBodies(),
    inject,
    validate: (request: AdmissionRequest) => admit(request, state.meshConfig()),
    onResult: (...facts: Parameters<Metrics["webhook"]>) => metrics.webhook(...facts),
    onReviewed: shared.audit.reviewed,
  };
  return {
    name: "webhooks",
    async start() {
      if (shared.abort.signal.aborted) return;
      const context = async (): Promise<ServingTls & { cert: string; key: string }> => {
        const { certificate, key } = await shared.authority.serving(options);
        // Among what is renewed, not the server's options: each renewal sets it anew.
        return { cert: certificate, key: key.pem(), ...servingTls(state.meshConfig(), options.compliance) };
      };
      const handler = answering(async (request, url) => {
        try {
          return await answerWebhook(deps, request, url);
        } catch (error) {
          if (error instanceof BodyError && url.pathname.startsWith("/validate"))
            metrics.unreadableReview(error.status);
          throw error;
        }
      }, onFault);
      const server = createServer({ ...(await context()), handshakeTimeout: HANDSHAKE_MS }, handler);
      // Longer than API servers keep theirs: a review on a connection that we are closing would fail.
      server.keepAliveTimeout = 120_000;
      server.on("tlsClientError", (_error, socket) => void socket.destroy());
      listening = await listen(server, options.listen.https);
      shared.ports.https = listening.port;
      renewal = renewServing(shared, async () => server.setSecureContext(await context()));
    },
    async close() {
      renewal();
      await listening?.close();
    },
  };
}
