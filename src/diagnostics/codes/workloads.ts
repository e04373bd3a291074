import { code } from "./code.ts";

/** MSH0130-0149: workloads: pods, services, injection. */
export const workloadCodes = {
  MSH0130: code<{ port: string; target: string; pod: string; nearest: string }>({
    name: "TargetPortNameMissing",
    level: "Error",
    summary: "A Service's targetPort names a port that none of its pods has.",
    message: ({ port, target, pod }) =>
      `targetPort "${target}" of port ${port}: ${pod} has no container port of that name`,
    hint: ({ nearest }) =>
      nearest === "" ? "Name the container's port, or write its number." : `Did you mean ${nearest}?`,
  }),
  MSH0131: code<{ port: string; target: number; pod: string; declared: string }>({
    name: "TargetPortNotDeclared",
    level: "Info",
    summary: "A Service's targetPort is none of the ports that its pods declare.",
    message: ({ port, target, pod, declared }) => `targetPort ${target} of port ${port}: ${pod} declares ${declared}`,
    hint: () => "Correct the number; if the container does listen there, add it to its ports.",
  }),
  MSH0132: code<{ port: number; protocol: string; name: string }>({
    name: "ServerFirstPortDetected",
    level: "Warning",
    summary: "A port is told by the client's first bytes, and its protocol lets the server speak first.",
    message: ({ port, protocol }) =>
      `port ${port} looks like ${protocol}, where the server speaks first: the proxy waits for the client and the connection hangs`,
    hint: ({ name }) => `Name the port ${name}, or set appProtocol: tcp.`,
  }),
  MSH0133: code<{ label: string; value: string; meant: string }>({
    name: "InjectionLabelValue",
    level: "Warning",
    summary: "A label of injection has a value that means nothing.",
    message: ({ label, value, meant }) => `label ${label}="${value}" means nothing: only ${meant}`,
    hint: () => "Write the value in lower case, in quotes.",
  }),
  MSH0134: code<{ revision: string; known: string }>({
    name: "UnknownRevision",
    level: "Warning",
    summary: "Label istio.io/rev names a revision or tag that no control plane has.",
    message: ({ revision, known }) => `no control plane has revision or tag ${revision}: ${known}`,
    hint: () =>
      "Correct the label; `meshctl tag list` and `kubectl get mutatingwebhookconfigurations -L istio.io/rev,istio.io/tag` list them.",
  }),
  MSH0135: code<{ why: string }>({
    name: "SidecarAndAmbient",
    level: "Warning",
    summary: "A workload asks for a sidecar and for ambient mode.",
    message: ({ why }) => `a sidecar and ambient mode exclude each other: ${why}`,
    hint: () => "Remove the label istio.io/dataplane-mode: ambient, or the one that asks for the sidecar.",
  }),
  MSH0136: code<{ account: string; namespace: string; nearest: string }>({
    name: "WorkloadAccountMissing",
    level: "Warning",
    summary: "A WorkloadGroup or WorkloadEntry names a service account that does not exist.",
    message: ({ account, namespace }) =>
      `service account ${namespace}/${account} does not exist: the workload cannot get a token and does not join`,
    hint: ({ account, nearest }) =>
      nearest === "" ? `Create ServiceAccount ${account}, or correct the name.` : `Did you mean ${nearest}?`,
  }),
  MSH0137: code<{ other: string; labels: string }>({
    name: "WorkloadGroupsAlike",
    level: "Warning",
    summary: "Two WorkloadGroups give their workloads the same labels.",
    message: ({ other, labels }) =>
      `${other} has the same labels (${labels}): policies and services cannot tell them apart`,
    hint: () => "Give each group a label of its own.",
  }),
  MSH0138: code<{ address: string; other: string }>({
    name: "WorkloadEntriesForOneAddress",
    level: "Warning",
    summary: "Two WorkloadEntries of one service have the same address.",
    message: ({ address, other }) =>
      `${other} has address ${address} and the same labels and ports: it gets a double share`,
    hint: () => "Remove one of them; to give an address a larger share, use weight.",
  }),
  MSH0139: code<{ kind: string; selector: string; where: string }>({
    name: "SelectorSelectsNothing",
    level: "Warning",
    summary: "The selector of an object matches no workload, so it does nothing.",
    message: ({ selector, where }) => `no workload of ${where} has labels ${selector}`,
    hint: ({ kind }) =>
      `Correct the labels; \`kubectl get pods --show-labels\` lists them. A ${kind} selects pods, not Services.`,
  }),
  MSH0140: code<{ winner: string; for: string }>({
    name: "PeerAuthenticationOverridden",
    level: "Warning",
    summary: "Two PeerAuthentications are for the same workloads; only the older counts.",
    message: ({ winner, ...args }) => `the older ${winner} decides for ${args.for}: this one is not used there`,
    hint: ({ winner }) => `Put the modes into ${winner}, or give this one another selector.`,
  }),
} as const;
