// The certificates and keys of tests/tls/, of which tests/client/tls_test.ts says what each is for.

/** Reads one of them: `"good.pem"`. */
export function readCertificate(name: string): string {
  return Deno.readTextFileSync(new URL(`../tls/${name}`, import.meta.url));
}
