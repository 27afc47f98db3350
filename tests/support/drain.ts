// Reading for nobody.

/** Reads until the other side's end, or until the connection is closed. Never rejects. */
export async function drain(conn: { read(buffer: Uint8Array): Promise<number | null> }): Promise<void> {
  const buffer = new Uint8Array(16 * 1024);
  try {
    while (await conn.read(buffer) !== null);
  } catch {
    // closed
  }
}
