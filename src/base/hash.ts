/** A valid partition key. */
export type Key = string | number | bigint | boolean;

/** The finalizer of MurmurHash3: every bit of the input reaches every bit of the result. */
const mix = (value: number): number => {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

/** FNV-1a over UTF-16 code units. */
const hashText = (text: string): number => {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix(h);
};

/** A whole number from 0 to 2^32 - 1, the same everywhere; NaN for an invalid key. */
export function hashKey(key: unknown): number {
  if (typeof key === "boolean") return mix(Number(key));
  if (typeof key === "number" && (key | 0) === key) return mix(key);
  if (typeof key === "string" || typeof key === "number" || typeof key === "bigint") return hashText(String(key));
  return Number.NaN;
}

/**
 * The remainder of a hash. In two steps of small integers: engines take the remainder of a larger number for one of floats, at ten
 * times the price.
 */
const remainder = (hash: number, count: number): number => (((hash >>> 1) % count) * 2 + (hash & 1)) % count;

/** The partition of a key, from 0 to `count` - 1; -1 for an invalid key. `count` is below 2^30. */
export function partitionOf(key: unknown, count: number): number {
  // Most keys that are asked for often are small integers: their hash is never a float.
  if (typeof key === "number" && (key | 0) === key) return remainder(mix(key), count);
  const hash = hashKey(key);
  return Number.isNaN(hash) ? -1 : remainder(hash, count);
}
