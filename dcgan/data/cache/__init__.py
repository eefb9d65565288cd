"""Images that do not fit into memory: prepared once, in parallel, into a file that is read by rows."""
