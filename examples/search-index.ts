/**
 * A search index. It was a Map from word to documents, built anew at every start by reading every document. Now saving
 * a document is an event, and the index is a read model with a key for each word: an event changes as many keys as it
 * has words. It's only ever derived, so it can be deleted, rebuilt, or built in a new version beside the old one.
 */
import * as assert from "node:assert/strict"
import { Catalogue, open, ReadModel, Schema } from "persist"

class InMemoryIndex {
  readonly #texts = new Map<string, string>()
  readonly #index = new Map<string, Set<string>>()
  save(document: string, text: string) {
    for (const word of wordsOf(this.#texts.get(document) ?? "")) this.#index.get(word)?.delete(document)
    for (const word of wordsOf(text)) this.#index.set(word, (this.#index.get(word) ?? new Set()).add(document))
    this.#texts.set(document, text)
  }
  find(...words: ReadonlyArray<string>) {
    return [...this.#texts.keys()].filter((document) => words.every((word) => this.#index.get(word)?.has(document)))
  }
}
const wordsOf = (text: string) => new Set(text.toLowerCase().match(/\p{L}+/gu) ?? [])

// The text before is on the event, so that the words that went away can be told from the event alone.
const documents = Catalogue.make({ Saved: Schema.Struct({ text: Schema.String, before: Schema.String }) })

const indexVersion = (version: number, wordsIn: (text: string) => ReadonlySet<string>) =>
  ReadModel.make({
    name: "words",
    version,
    events: documents,
    prefix: "document/",
    keys: ({ data }) => [...new Set([...wordsIn(data.text), ...wordsIn(data.before)])],
    value: Schema.Array(Schema.String),
    seed: [],
    step: (found, { data, stream }, word) => {
      const others = found.filter((document) => document !== stream)
      const all = wordsIn(data.text).has(word) ? [...others, stream].sort() : others
      return all.length === 0 ? undefined : all
    }
  })

const words = indexVersion(1, wordsOf)

const openIndex = async (url: string) => {
  const store = await open(url)
  const log = store.log(documents)
  return {
    store,
    save: async (document: string, text: string) => {
      const [last] = await log.read(document, { reverse: true, limit: 1 }).toArray()
      const event = { type: "Saved", data: { text, before: last?.data.text ?? "" } } as const
      const outcome = await log.append(document, event, { expected: last?.seq ?? 0 })
      assert.equal(outcome._tag, "Committed")
    },
    find: async (index: typeof words, ...asked: ReadonlyArray<string>) => {
      const entries = await store.kv(index).getMany(asked)
      const [first = [], ...rest] = entries.map((entry) => entry?.value ?? [])
      return first.filter((document) => rest.every((found) => found.includes(document)))
    },
    [Symbol.asyncDispose]: () => store.close()
  }
}

const texts = [
  ["document/1", "A stream holds events"],
  ["document/2", "An event store holds streams of events"],
  ["document/3", "A river is a stream"],
  ["document/1", "A stream is a list"]
] as const
const questions = [["stream"], ["events"], ["stream", "list"], ["holds", "events"], ["nothing"]]

const before = new InMemoryIndex()
{
  await using now = await openIndex("sqlite:index.db")
  for (const [document, text] of texts) {
    before.save(document, text)
    await now.save(document, text)
  }
  await now.store.catchUp(words)
}

// The program was restarted: the index is there, and one more document is one more event to take in.
await using now = await openIndex("sqlite:index.db")
before.save("document/4", "Streaming lists")
await now.save("document/4", "Streaming lists")
const caughtUp = await now.store.catchUp(words)
assert.ok(caughtUp._tag === "CaughtUp")
console.log(`after a restart: ${caughtUp.events} event taken in, ${caughtUp.writes} words changed`)
assert.deepEqual([caughtUp.events, caughtUp.writes], [1, 2])

const check = async (index: typeof words) => {
  for (const question of questions) {
    const found = await now.find(index, ...question)
    console.log(`${question.join(" and ")}: ${found.join(", ") || "nothing"}`)
    assert.deepEqual(found, before.find(...question))
  }
}
await check(words)

// Words that begin with what somebody has typed so far: keys are in order.
const typed = await now.store.kv(words).scan({ prefix: "stream" }).toArray()
console.log("stream…:", typed.map(({ key }) => key).join(", "))
assert.deepEqual(typed.map(({ key }) => key), ["stream", "streaming", "streams"])

// From zero: five events, and the same answers.
const rebuilt = await now.store.rebuild(words)
assert.ok(rebuilt._tag === "CaughtUp" && rebuilt.events === 5)
await check(words)

// A better way to cut words is a new version, built beside the old one, which answers until the new one is there.
const stems = indexVersion(2, (text) => new Set([...wordsOf(text)].map((word) => word.replace(/(ing|s)$/, ""))))
await now.store.catchUp(stems)
const stemmed = await now.find(stems, "stream")
console.log("in version 2, stream:", stemmed.join(", "))
assert.deepEqual(stemmed, ["document/1", "document/2", "document/3", "document/4"])
await check(words)
