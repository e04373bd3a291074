/**
 * Which replica counts a key: rendezvous hashing. Each replica gets a number from the key and its own address, and the highest
 * counts. When a replica goes, only its keys move, each to the one that came second: that one has its counts already.
 */
export function ranked(key: string, replicas: readonly string[]): readonly string[] {
  if (replicas.length < 2) return replicas;
  return replicas
    .map((replica) => ({ replica, score: hash(`${key}\n${replica}`) }))
    .toSorted((a, b) => b.score - a.score || (a.replica < b.replica ? -1 : 1))
    .map(({ replica }) => replica);
}

/** FNV-1a with a mixing step at the end: equal on every machine, and even for texts that differ in their last letters. */
function hash(text: string): number {
  let value = 0x81_1c_9d_c5;
  for (let index = 0; index < text.length; index++) {
    value ^= text.charCodeAt(index);
    value = Math.imul(value, 0x01_00_01_93);
  }
  value ^= value >>> 16;
  value = Math.imul(value, 0x85_eb_ca_6b);
  value ^= value >>> 13;
  value = Math.imul(value, 0xc2_b2_ae_35);
  return (value ^ (value >>> 16)) >>> 0;
}
