/** Stores by URL as Layers. */
import { Backend, makeStore, Store, type StoreError, type StoreOptions } from "@persist/core"
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { storeUrl } from "./location.ts"
import { openUrl, type Schemes } from "./scheme.ts"

/** How a layer opens its store. */
export interface LayerOptions extends StoreOptions {
  /** Schemes for this layer alone, before those registered. */
  readonly schemes?: Schemes | undefined
}

/** The backend a URL names, for those who put something between it and the store: `Store.layer` makes the rest. */
export const layerBackend = (url: string, schemes?: Schemes): Layer.Layer<Backend, StoreError> =>
  Layer.effect(Backend, openUrl(url, schemes))

/** The store a URL names, with its backend; see `open` for what a URL may say and how it fails. */
export const layer = (url: string, options: LayerOptions = {}): Layer.Layer<Store | Backend, StoreError> => {
  const { schemes, ...storeOptions } = options
  return Layer.provideMerge(
    Layer.effect(Store, Effect.flatMap(Backend, (backend) => makeStore(backend, storeOptions))),
    layerBackend(url, schemes)
  )
}

/** The store that the configuration names: by `PERSIST_URL`, else `sqlite:./persist.db`, or by another config. */
export const layerConfig = (
  config: Config.Config<string> = storeUrl,
  options: LayerOptions = {}
): Layer.Layer<Store | Backend, StoreError | Config.ConfigError> =>
  Layer.unwrap(Effect.map(config, (url) => layer(url, options)))
