/** Loads nothing and says how many bytes of it are resident: what any process takes. */
process.send?.(process.memoryUsage.rss())
process.disconnect()
