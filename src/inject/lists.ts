/** Lists of a pod by the member that tells items apart, as Kubernetes' strategic merge has them. */
export function listKey(path: readonly string[]): string | undefined {
  return LIST_KEYS.get(path.at(-1) ?? "");
}

const LIST_KEYS: ReadonlyMap<string, string> = new Map([
  ["containers", "name"],
  ["initContainers", "name"],
  ["ephemeralContainers", "name"],
  ["volumes", "name"],
  ["imagePullSecrets", "name"],
  ["env", "name"],
  ["volumeMounts", "mountPath"],
  ["volumeDevices", "devicePath"],
  ["ports", "containerPort"],
  ["hostAliases", "ip"],
  ["topologySpreadConstraints", "topologyKey"],
]);
