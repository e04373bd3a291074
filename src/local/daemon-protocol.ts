import type { NetworkKind } from "./network-kind.ts";

/** What the starting command hands the node's process, and what it hears back; over Node's IPC channel. */
export interface DaemonConfig {
  readonly name: string;
  readonly network: NetworkKind;
  /** Index of the address plan (netns, userns). */
  readonly planIndex: number;
  /** Where the machine reaches the API: `127.0.0.1:port`. Except on loopback the listening socket comes with the message. */
  readonly apiPort: number;
  readonly envoy: string | undefined;
  /** `IMAGE=CMD` */
  readonly images: readonly string[];
  /** End when stdin closes. */
  readonly tied: boolean;
  readonly stateDir: string;
  /** Folder for the node's files. */
  readonly runDir: string;
  /** Set for the process inside a user namespace, by the one before its door: the user who started both, as the machine knows it. */
  readonly inside?: OwnUser;
}

/** Numeric ids of a user and of its group. */
export interface OwnUser {
  readonly uid: number;
  readonly gid: number;
}

export type DaemonMessage =
  | { readonly type: "ready"; readonly kubeconfig: string; readonly server: string }
  | { readonly type: "failed"; readonly message: string; readonly code: string | undefined };

/** What a node in a user namespace asks of the process before its door: a port of the machine. */
export interface DoorRequest {
  readonly type: "listen";
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

/** With `listening` comes the server. */
export type DoorAnswer =
  | { readonly type: "listening"; readonly id: number }
  | { readonly type: "refused"; readonly id: number; readonly message: string; readonly code: string | undefined };

/** Tells the node inside to end at once. */
export interface DoorEnd {
  readonly type: "end";
}
