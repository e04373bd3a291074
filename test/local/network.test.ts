import { type Server, connect, createServer } from "node:net";
import { expect, test } from "vitest";
import { startForwarder } from "../../src/local/node/network/forwarder.ts";
import { hostsFile } from "../../src/local/node/network/hosts.ts";
import { explicitEnv, serviceAddress, workloadOf } from "../../src/local/node/network/loopback-plan.ts";
import { addressPlan, choosePlan, dialAddress, podAddressAt } from "../../src/local/node/network/netns-plan.ts";
import { serviceRules } from "../../src/local/node/network/service-rules.ts";
import type { ServiceEntry } from "../../src/local/node/network/types.ts";

const endpoint = (ip: string): { ip: string; port: number } => ({ ip, port: 8080 });
const web: ServiceEntry = {
  namespace: "shop",
  name: "web",
  clusterIp: "10.96.1.2",
  ports: [{ name: "http", port: 80, protocol: "TCP", endpoints: [endpoint("10.244.0.2"), endpoint("10.244.0.3")] }],
  members: [],
};
const empty: ServiceEntry = {
  namespace: "shop",
  name: "idle",
  clusterIp: "10.96.1.3",
  ports: [{ name: "", port: 81, protocol: "TCP", endpoints: [] }],
  members: [],
};
const headless: ServiceEntry = {
  namespace: "data",
  name: "db",
  clusterIp: undefined,
  ports: [],
  members: [{ ip: "10.244.0.9", hostname: "db-0" }],
};

test("each endpoint of a port has the same share, and a port without endpoints is refused", () => {
  const rules = serviceRules([web, empty, headless]).split("\n");
  expect(rules.filter((rule) => rule.includes("DNAT"))).toEqual([
    "-A MESHCTL-SERVICES -d 10.96.1.2/32 -p tcp --dport 80 -m statistic --mode random --probability 0.5000000000 -j DNAT --to-destination 10.244.0.2:8080",
    "-A MESHCTL-SERVICES -d 10.96.1.2/32 -p tcp --dport 80 -j DNAT --to-destination 10.244.0.3:8080",
  ]);
  expect(rules).toContain("-A MESHCTL-REJECT -d 10.96.1.3/32 -p tcp --dport 81 -j REJECT");
  expect(rules).toContain("-A MESHCTL-HAIRPIN -s 10.244.0.2/32 -d 10.244.0.2/32 -j MASQUERADE");
});

test("a hosts file has every name of a Service, short ones only in its own namespace", () => {
  const text = hostsFile([headless, web], { namespace: "shop", hostname: "web-1", ip: "10.244.0.2" });
  const names = (ip: string): string[] => text.split("\n").filter((line) => line.startsWith(`${ip} `));
  expect(names("10.96.1.2")).toEqual(["10.96.1.2 web web.shop web.shop.svc web.shop.svc.cluster.local"]);
  expect(names("10.244.0.9")).toEqual([
    "10.244.0.9 db.data db.data.svc db.data.svc.cluster.local",
    "10.244.0.9 db-0.db.data db-0.db.data.svc db-0.db.data.svc.cluster.local",
  ]);
  expect(names("10.244.0.2")).toEqual(["10.244.0.2 web-1"]);
});

test("the first address plan that meets no route of the machine is chosen", () => {
  expect(choosePlan("default via 172.16.0.1 dev eth0\n172.16.0.0/24 dev eth0")?.index).toBe(0);
  expect(choosePlan("10.96.0.0/16 via 10.214.0.2 dev meshctl0")?.index).toBe(1);
  expect(choosePlan("10.96.0.0/12 dev cni0")?.index).toBeUndefined();
  expect(choosePlan("10.0.0.0/8 dev eth0")).toBeUndefined();
  expect(choosePlan("broadcast 10.245.255.255 dev x\n10.244.3.0/24 dev flannel")?.index).toBe(2);
});

test("addresses follow the pod's number", () => {
  expect(podAddressAt(addressPlan(1), 258)).toBe("10.245.1.2");
  expect(dialAddress(258)).toBe("198.18.1.2");
});

test("the loopback plan maps cluster IPs and low ports per workload", () => {
  expect(serviceAddress(7, "10.96.1.44")).toBe("127.7.1.44");
  expect([workloadOf("127.7.0.1"), workloadOf("127.0.0.1"), workloadOf("127.255.0.1"), workloadOf("10.0.0.1")]).toEqual(
    [7, undefined, undefined, undefined],
  );
});

test("applications are told where to bind, proxies how to serve them, and proxies get no http_proxy", () => {
  expect(explicitEnv(3, false, "app")).toEqual({ BIND_ADDRESS: "127.3.0.1" });
  expect(explicitEnv(3, true, "app")).toMatchObject({
    BIND_ADDRESS: "127.3.0.2",
    http_proxy: "http://127.3.0.1:15080",
  });
  const proxy = explicitEnv(3, true, "istio-proxy");
  expect(proxy).not.toHaveProperty("http_proxy");
  expect(JSON.parse(proxy["ISTIO_META_MESH_BIND"] ?? "")).toEqual({
    prefix: "127.3",
    appAddress: "127.3.0.2",
    httpProxyPort: 15080,
  });
});

function serve(answer: string): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.end(answer));
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve({ server, port: (server.address() as { port: number }).port });
    });
  });
}

function ask(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    connect(port, "127.0.0.1")
      .on("data", (chunk) => (text += chunk.toString()))
      .on("end", () => {
        resolve(text);
      })
      .on("error", reject);
  });
}

test("a forwarder chooses a target for each connection and refuses without one", async () => {
  const [a, b] = await Promise.all([serve("a"), serve("b")]);
  const targets = [a.port, b.port, undefined];
  const forwarder = await startForwarder("127.0.0.1", 0, () => {
    const port = targets.shift();
    return port === undefined ? undefined : { ip: "127.0.0.1", port };
  });
  expect([await ask(forwarder.port), await ask(forwarder.port)]).toEqual(["a", "b"]);
  await expect(ask(forwarder.port)).rejects.toThrow("ECONNRESET");
  await expect(startForwarder("127.0.0.1", forwarder.port, () => undefined)).rejects.toThrow("EADDRINUSE");
  forwarder.close();
  a.server.close();
  b.server.close();
});
