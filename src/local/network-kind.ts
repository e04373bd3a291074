/**
 * How pods of a node reach each other, the best first: in network namespaces of the machine, in such of a user namespace that needs
 * no privilege, on loopback addresses.
 */
export const NETWORK_KINDS = ["netns", "userns", "loopback"] as const;

export type NetworkKind = (typeof NETWORK_KINDS)[number];
