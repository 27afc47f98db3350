// A pause of a test, where there is no event to wait for.

/** Lets `ms` pass, or only what is due at once. */
export function pause(ms = 0): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
