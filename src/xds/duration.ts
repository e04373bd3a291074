/** A duration in JSON form, from milliseconds: 250 is "0.25s". */
export function seconds(milliseconds: number): string {
  return `${milliseconds / 1000}s`;
}
