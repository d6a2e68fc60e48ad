/** Encrypted connections: what each sslmode believes of a server's certificate. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-postgres"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { directory, errorOf } from "../backend-sqlite/place.ts"
import { handOver } from "../servers/account.ts"
import { startPostgres } from "../servers/postgres.ts"
import { programOf, type Skippable } from "../servers/program.ts"

/** A server that speaks TLS, by a certificate for these names that nobody else signed; and the certificate's file. */
const encrypted = Effect.fnUntraced(function*(names: string, context: Skippable) {
  const openssl = yield* programOf("openssl", context)
  const own = yield* directory
  handOver(own)
  const [key, certificate] = [join(own, "key.pem"), join(own, "certificate.pem")]
  const what = ["req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "1", "-subj", "/CN=test"]
  execFileSync(openssl, [...what, "-addext", `subjectAltName=${names}`, "-keyout", key, "-out", certificate], {
    stdio: "ignore"
  })
  handOver(key)
  const { url } = yield* startPostgres({ ssl: "on", ssl_cert_file: certificate, ssl_key_file: key })
  return { url, certificate }
})

describe("a server with a certificate", () => {
  it.live("is believed as far as sslmode says", (context) =>
    Effect.gen(function*() {
      const { certificate, url } = yield* encrypted("IP:127.0.0.1", context)
      const byName = url.replace("127.0.0.1", "localhost")
      const opened = (from: string, query: string) =>
        Effect.scoped(Effect.as(make({ url: `${from}?${query}`, schema: "s" }), "opened"))
      const refused = (from: string, query: string) =>
        Effect.map(errorOf(opened(from, query)), ({ message }) => message)
      const known = `sslrootcert=${certificate}`
      assert.strictEqual(yield* opened(url, "sslmode=require"), "opened")
      assert.match(yield* refused(url, "sslmode=verify-ca"), /can't be reached by TLS \(.*SELF_SIGNED/)
      assert.strictEqual(yield* opened(byName, `sslmode=verify-ca&${known}`), "opened")
      assert.strictEqual(yield* opened(url, `sslmode=verify-full&${known}`), "opened")
      assert.match(
        yield* refused(byName, `sslmode=verify-full&${known}`),
        /can't be reached by TLS \(ERR_TLS_CERT_ALTNAME_INVALID\)/
      )
    }), 60_000)
})
