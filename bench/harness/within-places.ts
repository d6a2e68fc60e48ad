/** Work in places that are removed behind it, however it ends. */
import { endChildren } from "./child.ts"
import { makePlaces, type Places } from "./place.ts"

/** What a process ends with that a signal has ended. */
const codes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

/**
 * Works in places below a directory, or below the system's temporary one; then ends the processes of sides and removes
 * the places, after a signal too. A database on a server that was there before is only dropped where no signal came.
 */
export const withinPlaces = async <A>(
  directory: string | undefined,
  work: (places: Places) => Promise<A>
): Promise<A> => {
  const places = makePlaces(directory)
  const end = () => {
    endChildren()
    places.remove()
  }
  let ending = false
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
    // Who asks twice waits for the same: a second signal would leave gigabytes behind.
    process.on(signal, () => {
      if (ending) return
      ending = true
      process.stderr.write(`removing ${places.directory} …\n`)
      end()
      process.exit(codes[signal])
    })
  }
  try {
    return await work(places)
  } finally {
    end()
  }
}
