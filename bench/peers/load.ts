/** Loads libraries that the bench compares with: from here, so that what is installed beside this file is found. */
import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"

/** A library by its name, as the caller knows it; rejects where it isn't installed. */
export const loadPeer = async <Library>(name: string): Promise<Library> => await import(name) as Library // its own word

/** The URL of a file of a library; throws where it isn't installed. */
export const peerFile = (name: string): URL => pathToFileURL(createRequire(import.meta.url).resolve(name))
