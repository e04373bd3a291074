/** A duration in JSON form, from milliseconds: 250 is "0.25s". */
export function seconds(milliseconds: number): string {
  return `${milliseconds / 1000}s`;
}

/** The same where there may be none. */
export function maybeSeconds(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : seconds(milliseconds);
}
