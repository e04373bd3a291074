/** What the starting command hands the node's process, and what it hears back; over Node's IPC channel. */
export interface DaemonConfig {
  readonly name: string;
  readonly network: "netns" | "loopback";
  /** Index of the address plan (netns). */
  readonly planIndex: number;
  /** Where the machine reaches the API: `127.0.0.1:port`. In netns mode the listening socket comes with the message. */
  readonly apiPort: number;
  readonly envoy: string | undefined;
  /** `IMAGE=CMD` */
  readonly images: readonly string[];
  /** End when stdin closes. */
  readonly tied: boolean;
  readonly stateDir: string;
  /** Folder for the node's files. */
  readonly runDir: string;
}

export type DaemonMessage =
  | { readonly type: "ready"; readonly kubeconfig: string; readonly server: string }
  | { readonly type: "failed"; readonly message: string; readonly code: string | undefined };
