/** Whether workloads get their certificates of this control plane. */
export function signsWorkloads({ caServer = true }: { readonly caServer?: boolean }): boolean {
  return caServer;
}
