/** The postgres backend. */
