/** Groups of gets, each waiting for a connection of its own, which are given and refused here one by one. */
import { gathering } from "@persist/backend-postgres/gathered"
import type { Session } from "@persist/backend-postgres/link"
import { afterEach, expect, it, vi } from "vitest"

const session: Session = { names: undefined, run: () => Promise.reject(new Error("nothing is asked by it")) }

afterEach(() => vi.restoreAllMocks())

/** Gets by number at a time in milliseconds, the connections that they ask for, and the statements that they send. */
const setting = () => {
  const clock = vi.spyOn(performance, "now")
  const asks: Array<{ readonly give: () => void; readonly refuse: (cause: string) => void }> = []
  const statements: Array<PromiseWithResolvers<void> & { readonly keys: string; readonly shared: boolean }> = []
  const gathered = gathering<ReadonlyArray<string>>(
    (_, job) => {
      const { promise, reject, resolve } = Promise.withResolvers<void>()
      // Once more where the first connection was lost, as the handle's do.
      const give = () => void job(session).catch(() => job(session)).then(resolve, reject)
      asks.push({ give, refuse: reject })
      return promise
    },
    async (_, keys, shared) => {
      const names = keys.map(({ key }) => key)
      const statement = { keys: names.join(), shared, ...Promise.withResolvers<void>() }
      statements.push(statement)
      await statement.promise
      return names
    }
  )
  const get = (time: number, ...numbers: ReadonlyArray<number>) => {
    clock.mockReturnValue(time)
    return gathered(numbers.map((n) => ({ namespace: "n", key: `k${n}` })))
      .then(({ first, found }) => found.slice(first, first + numbers.length).join(), String)
  }
  return { asks, get, statements }
}

it("those who came later wait for as long as they may, whatever becomes of those before them", async () => {
  const { asks, get, statements } = setting()
  const [first, second, third, fourth] = [get(0, 0), get(100, 1), get(101, 2, 3), get(300, 4)]
  expect(asks).toHaveLength(3)
  asks[0]?.refuse("busy")
  expect(await Promise.all([first, second])).toEqual(["busy", "busy"])
  asks[1]?.give()
  // Its own connection is nothing any more to whoever was taken along: neither that it's refused nor that it's there.
  asks[2]?.refuse("busy")
  await vi.waitFor(() => expect(statements).toMatchObject([{ keys: "k2,k3,k4", shared: true }]))
  statements[0]?.resolve()
  expect(await Promise.all([third, fourth])).toEqual(["k2,k3", "k4"])
})

it("whoever was taken along sends nothing, and a group is the whole of it where it's asked again", async () => {
  const { asks, get, statements } = setting()
  const [first, second] = [get(0, 0), get(200, 1)]
  asks[0]?.give()
  const late = get(400, 2)
  asks[1]?.give()
  await vi.waitFor(() => expect(statements).toHaveLength(1))
  statements[0]?.reject("lost")
  await vi.waitFor(() => expect(statements).toHaveLength(2))
  expect(statements.map(({ keys, shared }) => [keys, shared])).toEqual([["k0,k1", true], ["k0,k1", true]])
  statements[1]?.resolve()
  expect(await Promise.all([first, second])).toEqual(["k0", "k1"])
  asks[2]?.give()
  await vi.waitFor(() => expect(statements).toHaveLength(3))
  expect(statements[2]).toMatchObject({ keys: "k2", shared: false })
  statements[2]?.resolve()
  expect(await late).toBe("k2")
})

it("all who share a statement are told that it failed", async () => {
  const { asks, get, statements } = setting()
  const answers = Promise.all([get(0, 0), get(50, 1), get(200, 2)])
  asks[0]?.give()
  await vi.waitFor(() => expect(statements).toHaveLength(1))
  statements[0]?.reject("lost")
  await vi.waitFor(() => expect(statements).toHaveLength(2))
  statements[1]?.reject("lost again")
  expect(await answers).toEqual(["lost again", "lost again", "lost again"])
})
