/** What a writing handle remembers of the store between batches, so that the server need not look it up again. */

/** A stream as it was when the handle last knew the head. */
export interface KnownStream {
  readonly id: number
  readonly last: number
}

// A name and its numbers take some 200 bytes: enough for every hot stream of a large store, in some 20 MB.
const remembered = 100_000

/** Ids and last seqs. They hold while the same server runs with the same tables, last seqs until others commit. */
export class Memory {
  /** The server and tables that all of it comes from; `undefined` where nothing is remembered. */
  server: string | undefined
  /** The head that the last seqs belong to. */
  head: number | undefined
  private readonly streams = new Map<string, { readonly id: number; last: number }>()
  private readonly types = new Map<string, number>()
  private readonly spaces = new Map<string, number>()

  /** The stream as it is now, or `undefined` where it isn't remembered. */
  stream(name: string): KnownStream | undefined {
    return this.streams.get(name)
  }

  /** The type's id, or `undefined`. */
  type(name: string): number | undefined {
    return this.types.get(name)
  }

  /** The namespace's id, or `undefined`. */
  space(name: string): number | undefined {
    return this.spaces.get(name)
  }

  /** Goes on from a head that was found on a server: what belongs to another head or server is forgotten. */
  meet(server: string, head: number): void {
    if (server !== this.server) this.forget()
    else if (head !== this.head || this.streams.size >= remembered) this.streams.clear()
    this.server = server
    this.head = head
  }

  /** Goes on to the head that the handle itself has made. */
  move(head: number): void {
    this.head = head
  }

  /** Keeps a stream as it is at the present head. */
  keepStream(name: string, { id, last }: KnownStream): void {
    const known = this.streams.get(name)
    // In place: what is replaced for each event had grown old, and is what full collections are made for.
    if (known?.id === id) known.last = last
    else this.streams.set(name, { id, last })
  }

  /** Keeps a type's id. */
  keepType(name: string, id: number): void {
    if (this.types.size >= remembered) this.types.clear()
    this.types.set(name, id)
  }

  /** Keeps a namespace's id. */
  keepSpace(name: string, id: number): void {
    if (this.spaces.size >= remembered) this.spaces.clear()
    this.spaces.set(name, id)
  }

  /** Drops everything: after a failure nobody knows what the server has. */
  forget(): void {
    this.server = undefined
    this.head = undefined
    this.streams.clear()
    this.types.clear()
    this.spaces.clear()
  }
}
