/** What a URL and options may say, and what is wrong with the rest: told by its name, never repeated. */
import { assert, describe, it } from "@effect/vitest"
import { type Config, make } from "@persist/backend-postgres"
import { settle } from "@persist/backend-postgres/config"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { errorOf } from "../backend-sqlite/place.ts"

const secret = "hun%2Fter2"

describe("a URL", () => {
  it("says who, where and which database", () => {
    const { database, hosts, password, schema, tls, user } = settle({
      url: `postgres://ada:${secret}@db.example:6432/shop`
    })
    assert.deepStrictEqual({ database, hosts, password, schema, tls, user }, {
      database: "shop",
      hosts: [{ host: "db.example", port: 6432 }],
      password: "hun/ter2",
      schema: "persist",
      tls: false,
      user: "ada"
    })
  })

  it("leaves to the driver what it doesn't say", () => {
    const { database, hosts, password, user } = settle({ url: "postgresql://" })
    assert.deepStrictEqual({ database, hosts, password, user }, {
      database: undefined,
      hosts: [{ host: "localhost", port: 5432 }],
      password: undefined,
      user: undefined
    })
  })

  it.each([
    ["postgres://a,b:6432,[::1]:7/db", [["a", 5432], ["b", 6432], ["::1", 7]]],
    ["postgres://u:p%40%3A@%31.2.3.4/db", [["1.2.3.4", 5432]]],
    ["postgres:///db?host=/var/run/postgresql", [["/var/run/postgresql", 5432]]],
    ["postgres://ignored/db?host=a:1,b:2", [["a", 1], ["b", 2]]]
  ])("has hosts: %s", (url, hosts) => {
    assert.deepStrictEqual(settle({ url }).hosts.map(({ host, port }) => [host, port]), hosts)
  })

  it("says every option, and options beside it say more", () => {
    const url = "postgres://h/db?schema=a%20b&readonly=true&readers=2&timeout=3&lockTimeout=4&reconnectWithin=0" +
      "&pollInterval=5&direct=false&application_name=shop"
    const settings = settle({ url, readers: 9 })
    assert.deepInclude(settings, {
      schema: "a b",
      quotedSchema: "\"a b\"",
      readonly: true,
      readers: 9,
      timeout: 3,
      lockTimeout: 4,
      reconnectWithin: 0,
      pollInterval: 5,
      direct: false,
      application: "shop"
    })
    assert.strictEqual(settle({ url: "postgres://h/db", schema: "s\"; DROP" }).quotedSchema, "\"s\"\"; DROP\"")
  })

  it("says how connections are encrypted", () => {
    const directory = mkdtempSync(join(tmpdir(), "persist-tls-"))
    for (const name of ["ca", "cert", "key"]) writeFileSync(join(directory, name), name)
    const files = `sslrootcert=${directory}/ca&sslcert=${directory}/cert&sslkey=${directory}/key`
    const tls = (query: string) => settle({ url: `postgres://h/db?${query}` }).tls
    assert.isFalse(tls("sslmode=disable"))
    assert.deepInclude(tls(`sslmode=require&${files}`), {
      rejectUnauthorized: false,
      ca: "ca",
      cert: "cert",
      key: "key"
    })
    const chain = tls("sslmode=verify-ca")
    assert.deepInclude(chain, { rejectUnauthorized: true })
    assert.isUndefined(chain !== false && chain.checkServerIdentity?.("h", Object.create(null)))
    assert.deepStrictEqual(tls("sslmode=verify-full"), { rejectUnauthorized: true })
    rmSync(directory, { recursive: true })
  })
})

describe("what can't be meant", () => {
  const url = `postgres://ada:${secret}@h/db`
  const cases: ReadonlyArray<readonly [field: string, config: object]> = [
    ["url", {}],
    ["url", { url: 7 }],
    ["url", { url: "" }],
    ["url", { url: "mysql://h/db" }],
    ["url", { url: `postgres://ada:hunter2@2@h/db` }],
    ["url", { url: `postgres://ada:hunter2/2@h/db` }],
    ["url", { url: `postgres://ada:1/hunter2@h` }],
    ["url", { url: `postgres://ada:1?hunter2@h/db` }],
    ["url", { url: `postgres://ada:1?hunter2=2@h/db` }],
    ["url", { url: "postgres://h:0/db" }],
    ["url", { url: "postgres://h:65536/db" }],
    ["url", { url: "postgres://h:x/db" }],
    ["url", { url: "postgres://h/a/b" }],
    ["url", { url: "postgres://h/%zz" }],
    ["url?schem", { url: `${url}?schem=a` }],
    ["url?schema", { url: `${url}?schema=a&schema=b` }],
    ["url?readonly", { url: `${url}?readonly=yes` }],
    ["url?readers", { url: `${url}?readers=many` }],
    ["url?sslmode", { url: `${url}?sslmode=prefer` }],
    ["url?sslrootcert", { url: `${url}?sslmode=verify-ca&sslrootcert=/not/there` }],
    ["url?sslrootcert", { url: `${url}?sslrootcert=/etc/hosts` }],
    ["url?sslkey", { url: `${url}?sslmode=disable&sslkey=/etc/hosts` }],
    ["schema", { url: `${url}?schema=` }],
    ["schema", { url, schema: "x".repeat(64) }],
    ["schema", { url, schema: "\u00e9".repeat(32) }],
    ["schema", { url, schema: "a\0" }],
    ["schema", { url, schema: "\ud800" }],
    ["schema", { url, schema: "pg_catalog" }],
    ["readonly", { url, readonly: "yes" }],
    ["direct", { url, direct: 1 }],
    ["readers", { url, readers: 0 }],
    ["readers", { url, readers: 1.5 }],
    ["timeout", { url, timeout: 2 ** 31 }],
    ["lockTimeout", { url, lockTimeout: 0 }],
    ["reconnectWithin", { url, reconnectWithin: -1 }],
    ["pollInterval", { url, pollInterval: Number.NaN }],
    ["readOnly", { url, readOnly: true }]
  ]
  it.effect.each([["a slash", "/"], ["a question mark", "?"]])(
    "a password with %s that isn't encoded is told how to be",
    ([, mark]) =>
      Effect.gen(function*() {
        const error = yield* errorOf(Effect.scoped(make({ url: `postgres://ada:1${mark}hunter2@h` })))
        assert.match(error.message, /^url: has an @ behind a \/ or a \?; percent-encode those in a password/)
      })
  )

  it("a number out of bounds is told which they are", () => {
    assert.throws(() => settle({ url, readers: 0 }), /expected a whole number from 1 to 1000, got 0/)
  })

  it.effect.each(cases)("%s of %j", ([field, config]) =>
    Effect.gen(function*() {
      // What a caller without types may pass.
      const error = yield* errorOf(Effect.scoped(make(config as Config)))
      assert.deepInclude(error, { _tag: "Invalid", field })
      assert.isTrue("remedy" in error && error.remedy.length > 0)
      assert.notMatch(JSON.stringify(error) + String(error), /hunter2|hun.{1,3}ter2/)
    }))
})
