"""Copies of a SQLite database: taken while people write, kept in bounded number, put back by one command.

`shelf` knows the folder and which copies stay, `taking` makes one, `keeper` makes them while the server runs,
`restoring` puts one back. With PostgreSQL its own tools do all that but the last step, see `sessions.live.renewal`.
"""
