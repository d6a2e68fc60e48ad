/** The file backend. */
