import { request } from "node:http";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startAgent } from "../agent/process.ts";
import { waitFor } from "../wait.ts";

/** A pod's agent and Envoy, on loopback addresses. */
export interface IssuedProxy {
  /** Where the application listens for what the proxy hands it. */
  readonly appAddress: string;
  /** Status, and what the answer says, of a GET through the proxy; port of the Service. */
  ask(url: string): Promise<string>;
  /** Answer of Envoy's admin interface. */
  admin(path: string): Promise<string>;
  /** The roots that are mounted. */
  trust(roots: string): void;
  output(): string;
  stop(): Promise<void>;
}

const BUILT = fileURLToPath(new URL("../../../bin/mesh-agent.js", import.meta.url));

/** Starts the built agent with its Envoy; resolves when it is ready. */
export async function startIssuedProxy(of: {
  readonly name: string;
  readonly account: string;
  readonly token: string;
  /** First two numbers of its addresses. */
  readonly prefix: string;
  readonly roots: string;
  readonly discoveryPort: number;
  readonly issuer: { readonly name: string; readonly port: number };
}): Promise<IssuedProxy> {
  const { prefix, issuer } = of;
  const [own, appAddress] = [`${prefix}.0.1`, `${prefix}.0.2`];
  const agent = startAgent({
    args: ["proxy", "sidecar", "--domain", "shop.svc.cluster.local", "--concurrency", "1"],
    program: [BUILT],
    env: {
      POD_NAME: of.name,
      POD_NAMESPACE: "shop",
      SERVICE_ACCOUNT: of.account,
      INSTANCE_IP: own,
      CA_ADDR: `${issuer.name}:${issuer.port}`,
      PROXY_CONFIG: JSON.stringify({ discoveryAddress: `istiod.istio-system.svc:${of.discoveryPort}` }),
      ISTIO_META_INTERCEPTION_MODE: "NONE",
      ISTIO_META_CLUSTER_ID: "Kubernetes",
      ISTIO_META_MESH_BIND: JSON.stringify({ prefix, appAddress, httpProxyPort: 15080 }),
      SECRET_GRACE_PERIOD_RATIO: "0.5",
    },
    files: {
      "etc/hosts": `127.0.0.1 istiod.istio-system.svc ${issuer.name}\n`,
      "var/run/secrets/istio/root-cert.pem": of.roots,
      "var/run/secrets/tokens/istio-token": `${of.token}\n`,
    },
  });
  await waitFor(async () => (await get(`http://${own}:15021/healthz/ready`).catch(String)) === "200 ", {
    what: `${of.name} to be ready\n${agent.output()}`,
    timeoutMs: 30_000,
  }).catch(async (error: unknown) => {
    const said = agent.output();
    await agent.clean();
    throw new Error(said, { cause: error });
  });
  return {
    appAddress,
    ask: (url) => get(url, { host: own, port: 15080 }),
    admin: async (path) => (await get(`http://${own}:15000${path}`)).slice("200 ".length),
    trust: (roots) => writeFileSync(join(agent.directory, "var/run/secrets/istio/root-cert.pem"), roots),
    output: () => agent.output(),
    stop: () => agent.clean(),
  };
}

function get(url: string, proxy?: { readonly host: string; readonly port: number }): Promise<string> {
  const { host, hostname, port, pathname, search } = new URL(url);
  const options =
    proxy === undefined
      ? { host: hostname, port, path: pathname + search }
      : { ...proxy, path: url, headers: { host } };
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      answer.on("error", reject);
      answer.on("end", () => resolve(`${answer.statusCode} ${text}`));
    });
    sent.on("error", reject);
    sent.end();
  });
}
