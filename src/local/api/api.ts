import { createAccess, kubeconfigText } from "./access.ts";
import { createAdmission } from "./admission.ts";
import { createAllocator } from "./allocate.ts";
import { bootstrap, followCrds } from "./bootstrap.ts";
import { createLocalClient } from "./client.ts";
import type { Core } from "./core.ts";
import { createAuthorizer } from "./rbac.ts";
import { Registry } from "./registry.ts";
import { startServer } from "./server.ts";
import { Store } from "./store.ts";
import { createTokens } from "./tokens.ts";
import type { Api, ApiOptions, PodBackend, ServiceResolver } from "./types.ts";
import { createWebhookCaller } from "./webhook-call.ts";
import { createWebhooks } from "./webhooks.ts";

/**
 * Starts the embedded Kubernetes API endpoint: objects in memory, TLS on the given addresses, good enough for kubectl and
 * client-node. What it lacks is listed in unsupported.ts. Rejects when an address is in use.
 */
export async function createApi(options: ApiOptions): Promise<Api> {
  const store = new Store();
  const registry = new Registry();
  const allocator = createAllocator(store, options.serviceCidr);
  let resolver: ServiceResolver | undefined;
  let backend: PodBackend | undefined;
  const webhooks = createWebhooks(
    store,
    registry,
    createWebhookCaller(() => resolver),
  );
  const core: Core = { store, registry, allocator, admission: createAdmission(store, webhooks), log: options.log };
  const stopCrds = followCrds(core);
  await bootstrap(core);
  const hosts = options.listen.map(({ host }) => host);
  const [access, tokens] = await Promise.all([createAccess(hosts, allocator.apiAddress), createTokens(store)]);
  const server = await startServer({
    core,
    access,
    tokens,
    authorizer: createAuthorizer(store),
    listen: options.listen,
    backend: () => backend,
  });
  const first = server.addresses[0];
  if (first === undefined) throw new Error("createApi needs an address to listen on");
  return {
    client: createLocalClient(core),
    addresses: server.addresses,
    caPem: access.caPem,
    kubeconfig: (contextName) => kubeconfigText(access, `https://${first.host}:${first.port}`, contextName),
    async issueToken({ namespace, serviceAccount, audiences, expirationSeconds, pod }) {
      const bound = pod === undefined ? undefined : { kind: "Pod" as const, ...pod };
      return (await tokens.issue({ namespace, serviceAccount, audiences, expirationSeconds, bound })).token;
    },
    setPodBackend(next) {
      backend = next;
    },
    setServiceResolver(next) {
      resolver = next;
    },
    async close() {
      stopCrds();
      await server.close();
    },
  };
}
