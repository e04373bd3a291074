import { createServer } from "node:https";
import { createDerivations } from "../../src/base/derive.ts";
import { answering, listen } from "../../src/controlplane/http.ts";
import { createBodies } from "../../src/controlplane/bodies.ts";
import { createInjector } from "../../src/controlplane/injector.ts";
import { answerWebhook } from "../../src/controlplane/webhook.ts";
import { render } from "../../src/install/render.ts";
import { settingsOf } from "../../src/install/settings.ts";
import { createRoot, issueServing } from "../../src/pki/ca.ts";
import { createFixedWorld } from "../../src/resources/world-fixed.ts";

// The injecting webhook of meshd on a default install's configuration, for bench/inject-webhook.bench.ts: tells its port and serves.

const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
const { certificate, key } = await issueServing(
  await createRoot("cluster.local", validity),
  { dns: ["localhost"], ips: ["127.0.0.1"] },
  validity,
);
const objects = render(settingsOf(undefined, [])).flatMap((part) => part.objects);
const inject = createInjector({
  world: createFixedWorld(objects),
  derivations: createDerivations(),
  rootNamespace: "istio-system",
  revision: "default",
  meshConfig: () => ({ trustDomain: "cluster.local" }),
});
const deps = { bodies: createBodies(), inject, validate: () => ({ allowed: true }), onResult: () => undefined };
const onFault = (error: unknown): void => console.error(error);
const handler = answering((request, url) => answerWebhook(deps, request, url), onFault);
const { port } = await listen(createServer({ cert: certificate, key: key.pem() }, handler), {
  host: "127.0.0.1",
  port: 0,
});
process.send?.(port);
// what the processor spent on it tells of this program when the machine is busy with others
process.on("message", () => process.send?.(process.cpuUsage()));
