import type { Duplex } from "node:stream";
import type { LoadBalancerAddress } from "../../controllers/controller.ts";
import type { NetworkKind } from "../../network-kind.ts";
import type { Pod, Service } from "../../shapes.ts";

/** A Service with the endpoints that are ready, as rules, hosts files and forwarders need it. */
export interface ServiceEntry {
  readonly namespace: string;
  readonly name: string;
  /** Undefined for a headless Service. */
  readonly clusterIp: string | undefined;
  readonly ports: readonly ServiceEntryPort[];
  /** Addresses of a headless Service, with the host names of its pods. */
  readonly members: readonly { readonly ip: string; readonly hostname: string | undefined }[];
}

export interface ServiceEntryPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly endpoints: readonly { readonly ip: string; readonly port: number }[];
}

/**
 * Whose programs pods run: any user's, as the pod says; the starting user's, who looks like the one the pod names; the starting
 * user's as it is.
 */
export type PodUsers = "any" | "mapped" | "own";

/** Numeric identity of a process. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

export interface ProcessSpec {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly container: string;
  /** Undefined: as whoever started the node. */
  readonly user: ProcessUser | undefined;
}

/** One pod's place in the network. */
export interface PodNetwork {
  readonly ip: string;
  /** Variables a container gets whatever its spec says. */
  env(container: string): Readonly<Record<string, string>>;
  /** A hosts file with the names of the cluster, as a container reaches them; kept up to date in place. */
  hostsFile(container: string): string;
  /** The command that runs a process inside the pod. */
  wrap(spec: ProcessSpec): { readonly file: string; readonly args: readonly string[]; readonly cwd: string };
  /** Connects as a process of the pod itself would: also to what listens on its loopback. */
  dial(port: number): Promise<Duplex>;
  close(): Promise<void>;
}

/** How pods of this node reach each other. */
export interface NodeNetwork {
  readonly kind: NetworkKind;
  readonly users: PodUsers;
  readonly nodeIp: string;
  readonly serviceCidr: string;
  /** The port to listen on for a port that the user wrote. */
  realPort(port: number): number;
  createPod(pod: Pod): Promise<PodNetwork>;
  /** Where the pod with this address reaches a cluster IP. */
  serviceHost(podIp: string, clusterIp: string): string;
  /** Called whenever Services, their endpoints or pods changed. */
  setServices(services: readonly ServiceEntry[]): Promise<void>;
  loadBalancerAddress(service: Service): Promise<LoadBalancerAddress | undefined>;
  close(): Promise<void>;
}
