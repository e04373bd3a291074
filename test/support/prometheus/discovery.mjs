// Debian builds Prometheus without the discovery of pods in Kubernetes. This answers for it, as http_sd: every pod that the API server
// tells the pod's service account of, with the labels that Prometheus documents for the role "pod".
//   node discovery.mjs ADDRESS PORT
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { get } from "node:https";
import { join } from "node:path";

const account = join(process.cwd(), "var/run/secrets/kubernetes.io/serviceaccount");
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;

function pods() {
  const headers = { authorization: `Bearer ${readFileSync(join(account, "token"), "utf8")}` };
  const options = { host, port, path: "/api/v1/pods", headers, ca: readFileSync(join(account, "ca.crt")) };
  return new Promise((resolve, reject) => {
    const call = get(options, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      answer.on("end", () => {
        if (answer.statusCode === 200) resolve(JSON.parse(text).items);
        else reject(new Error(`${answer.statusCode}: ${text}`));
      });
    });
    call.on("error", reject);
  });
}

const name = (key) => key.replaceAll(/[^a-zA-Z0-9_]/g, "_");

function targetsOf({ metadata, spec, status }) {
  const meta = "__meta_kubernetes_";
  const ip = status?.podIP;
  if (ip === undefined) return [];
  const all = (record, what) =>
    Object.entries(record ?? {}).flatMap(([key, value]) => [
      [`${meta}pod_${what}_${name(key)}`, value],
      [`${meta}pod_${what}present_${name(key)}`, "true"],
    ]);
  const labels = Object.fromEntries([
    [`${meta}namespace`, metadata.namespace],
    [`${meta}pod_name`, metadata.name],
    [`${meta}pod_ip`, ip],
    [`${meta}pod_phase`, status.phase],
    [`${meta}pod_node_name`, spec.nodeName],
    ...all(metadata.labels, "label"),
    ...all(metadata.annotations, "annotation"),
  ]);
  return [...(spec.initContainers ?? []), ...spec.containers].flatMap((container) => {
    const own = { ...labels, [`${meta}pod_container_name`]: container.name };
    const ports = (container.ports ?? []).map(({ containerPort }) => containerPort);
    if (ports.length === 0) return [{ targets: [ip], labels: own }];
    return ports.map((number) => ({
      targets: [`${ip}:${number}`],
      labels: { ...own, [`${meta}pod_container_port_number`]: String(number) },
    }));
  });
}

createServer((_, response) => {
  pods()
    .then((found) => JSON.stringify(found.flatMap(targetsOf)))
    .then(
      (body) => response.writeHead(200, { "content-type": "application/json" }).end(body),
      (error) => response.writeHead(500).end(error.message),
    );
}).listen(Number(process.argv[3]), process.argv[2]);
