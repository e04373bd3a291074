import { createSocket } from "node:dgram";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { encode } from "dns-packet";
import { afterEach, expect, test } from "vitest";
import { createRoot } from "../../../src/pki/ca.ts";
import { ADDRESS, body, fetchOnce, ready, startPod, status } from "../../support/agent/pod.ts";
import { throwAtDns } from "../../support/agent/dns-garbage.ts";
import { throwGarbage } from "../../support/controlplane/garbage.ts";
import { waitFor } from "../../support/wait.ts";

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const item of open.splice(0).reverse()) await item.close();
});

test("an agent gets a certificate, serves it to Envoy, and Envoy is configured by ADS with it", async () => {
  const { plane, agent } = await startPod({ ttlSeconds: 3600, open });
  await ready(agent);
  expect(plane.signed.map((item) => item.by)).toEqual(["token"]);
  expect(plane.streams).toContain("URI:spiffe://cluster.local/ns/shop/sa/web");
  const certs = JSON.parse(await body(`http://${ADDRESS}:15000/certs`)) as Certs;
  expect(certs.certificates.map((item) => item.cert_chain[0]?.serial_number.toUpperCase())).toContain(
    plane.signed[0]?.serial,
  );
  expect(await body(`http://${ADDRESS}:10080/hello`)).toBe("app saw /hello");
  const metrics = await body(`http://${ADDRESS}:15020/stats/prometheus`);
  expect(metrics).toMatch(/^istio_agent_cert_expiry_seconds\{resource_name="default"\} 3[0-9]{3}/m);
  expect(metrics).toMatch(/^envoy_server_state\S* 0$/m);
  expect(await body(`http://${ADDRESS}:15090/stats/prometheus`)).toContain("envoy_cluster_manager_cds_update_success");
  expect(statSync(join(agent.directory, "var/run/secrets/workload-spiffe-uds/socket")).mode & 0o777).toBe(0o600);
});

test("a certificate is renewed with the old one, by token when that is refused, and no request fails meanwhile", async () => {
  const { plane, agent } = await startPod({ ttlSeconds: 3, open });
  await ready(agent);
  const failures: string[] = [];
  let requests = 0;
  let running = true;
  const load = (async () => {
    while (running) {
      const answer = await body(`http://${ADDRESS}:10080/r`).catch(String);
      requests += 1;
      if (answer !== "app saw /r") failures.push(answer);
    }
  })();
  await waitFor(() => plane.signed.length >= 3, { what: "two renewals", timeoutMs: 20_000 });
  plane.refuseCertificates = true;
  await waitFor(() => plane.signed.slice(1).some((item) => item.by === "token"), {
    what: "a renewal by token",
    timeoutMs: 20_000,
  });
  const last = plane.signed.at(-1)?.serial;
  await waitFor(async () => (await servedSerial()) === plane.signed.at(-1)?.serial, { what: `serial ${last} served` });
  running = false;
  await load;
  expect(plane.signed.slice(0, 3).map((item) => item.by)).toEqual(["token", "certificate", "certificate"]);
  expect(new Set(plane.signed.map((item) => item.serial)).size).toBe(plane.signed.length);
  expect(failures).toEqual([]);
  expect(requests).toBeGreaterThan(50);
});

test("the CA away past the certificate's end: the proxy gets another one by its token when the CA is back", async () => {
  const { plane, agent } = await startPod({ ttlSeconds: 4, open });
  await ready(agent);
  // whom it is for stands in the request: external issuers, such as istio-csr, sign what it says
  expect(plane.asked[0]).toBe("spiffe://cluster.local/ns/shop/sa/web");
  await plane.goAway();
  const left = async (): Promise<number> => {
    const text = await body(`http://${ADDRESS}:15020/stats/prometheus`);
    return Number(/^istio_agent_cert_expiry_seconds\{[^}]*\} (\S+)/m.exec(text)?.[1]);
  };
  await waitFor(async () => (await left()) < -1, { what: "the certificate to end", timeoutMs: 20_000 });
  expect(await body(`http://${ADDRESS}:10080/still`)).toBe("app saw /still");
  const before = plane.signed.length;
  await plane.comeBack();
  await waitFor(async () => plane.signed.length > before && (await left()) > 0, {
    what: "another certificate",
    timeoutMs: 20_000,
  });
  expect(plane.signed[before]?.by).toBe("token");
  await waitFor(async () => (await servedSerial()) === plane.signed.at(-1)?.serial, { what: "it to be served" });
});

test("roots of the mounted bundle come and go in Envoy without a new certificate; another authority that signs brings one", async () => {
  const { plane, agent } = await startPod({ ttlSeconds: 3600, open });
  await ready(agent);
  const second = await createRoot("other.local", {
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
  });
  const trusted = async (): Promise<number> => {
    const { certificates } = JSON.parse(await body(`http://${ADDRESS}:15000/certs`)) as Certs;
    return Math.max(...certificates.map((item) => item.ca_cert.length));
  };
  expect(await trusted()).toBe(1);
  const folder = join(agent.directory, "var/run/secrets/istio");
  const signing = join(folder, "signing-cert.pem");
  const file = join(folder, "root-cert.pem");
  writeFileSync(signing, plane.root.certificate);
  writeFileSync(file, `${plane.root.certificate}\n${second.certificate}`);
  await waitFor(async () => (await trusted()) === 2, { what: "two roots in Envoy" });
  writeFileSync(file, plane.root.certificate);
  await waitFor(async () => (await trusted()) === 1, { what: "one root again" });
  expect(plane.signed.length).toBe(1);
  writeFileSync(signing, second.certificate);
  await waitFor(() => plane.signed.length > 1, { what: "another request", timeoutMs: 15_000 });
  expect(agent.output()).toContain("another authority signs now");
});

test("garbage at every port for four seconds, slow clients and many: agent and Envoy live, answer, and are no larger", async () => {
  const env = { ISTIO_META_DNS_CAPTURE: "true", DNS_PROXY_ADDR: `${ADDRESS}:15053` };
  const { agent } = await startPod({ ttlSeconds: 3600, open, env });
  await waitFor(async () => (await status(`http://${ADDRESS}:10080/`).catch(() => 0)) === 200, {
    what: `the proxy to serve\n${agent.output()}`,
    timeoutMs: 30_000,
  });
  const before = { agent: memory(agent.process.pid), envoy: memory(envoyOf(agent.output())) };
  const dns = { host: ADDRESS, port: 15053 };
  // readiness and metrics, the agent's and Envoy's, and the listener by TLS
  const agents = { host: ADDRESS, http: 15020, monitoring: 15020, secureGrpc: 10443, https: 10443 };
  const envoys = { host: ADDRESS, http: 15021, monitoring: 15090, secureGrpc: 15020, https: 10443 };
  const admins = { host: ADDRESS, http: 15000, monitoring: 15000, secureGrpc: 15000, https: 15000 };
  const [first, second, third, messages] = await Promise.all([
    throwGarbage(agents, 4_000, 1),
    throwGarbage(envoys, 4_000, 2),
    throwGarbage(admins, 4_000, 4),
    throwAtDns(dns, 4_000, 3),
  ]);
  expect(Math.min(first.connections, second.connections, third.connections, messages)).toBeGreaterThan(100);
  expect(await body(`http://${ADDRESS}:15000/ready`)).toContain("LIVE");
  // Istio's agent debugs xDS there; ours has nothing to hit
  await expect(fetch(`http://${ADDRESS}:15004/`)).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } });
  expect(agent.process.exitCode).toBeNull();
  expect(await body(`http://${ADDRESS}:10080/still`)).toBe("app saw /still");
  expect(await status(`http://${ADDRESS}:15020/stats/prometheus`)).toBe(200);
  expect(await ask(dns, "nobody.invalid")).toBeGreaterThan(0);
  // no restart: the Envoy of the beginning
  expect(agent.output().split('"Envoy started"').length - 1).toBe(1);
  expect(memory(agent.process.pid) - before.agent).toBeLessThan(100 * MIB);
  expect(memory(envoyOf(agent.output())) - before.envoy).toBeLessThan(100 * MIB);
});

const MIB = 1 << 20;

/** Bytes of memory that a process has now. */
function memory(pid: number | undefined): number {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(text)?.[1] ?? "0") * 1024;
}

function envoyOf(output: string): number {
  return Number(/"pid":(\d+),"msg":"Envoy started"/.exec(output)?.[1]);
}

/** Bytes of the answer to a question by UDP. */
function ask(at: { readonly host: string; readonly port: number }, name: string): Promise<number> {
  const socket = createSocket("udp4");
  return new Promise<number>((resolve) => {
    socket.once("message", (message) => resolve(message.length));
    socket.send(encode({ type: "query", id: 1, questions: [{ type: "A", name }] }), at.port, at.host);
  }).finally(() => socket.close());
}

test("SIGTERM drains: running connections end in peace, then agent and Envoy leave with code 0", async () => {
  const { agent } = await startPod({ ttlSeconds: 3600, open, proxyConfig: { terminationDrainDuration: "1s" } });
  await ready(agent);
  expect((await fetchOnce(`http://${ADDRESS}:10080/early`, true)).connection).toBe("keep-alive");
  agent.process.kill("SIGTERM");
  await waitFor(() => agent.output().includes("draining"), { what: "draining" });
  const late = await fetchOnce(`http://${ADDRESS}:10080/late`, true);
  expect([late.text, late.connection]).toEqual(["app saw /late", "close"]);
  expect(await agent.exited).toBe(0);
  await expect(status(`http://${ADDRESS}:15000/ready`)).rejects.toThrow();
});

interface Certs {
  readonly certificates: readonly {
    readonly ca_cert: readonly unknown[];
    readonly cert_chain: readonly { readonly serial_number: string }[];
  }[];
}

function servedSerial(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: ADDRESS, port: 10443, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? "");
      socket.destroy();
    });
    socket.on("error", reject);
  });
}
