"""A page's side of the live protocol, without I/O: twins of modules in static/js, held to the same vectors."""
