// Random IDs for idempotency keys. They also work on plain HTTP, where browsers offer no `crypto.randomUUID`.

/** A random ID with 128 bits in hexadecimal digits. */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
