"""Django's PostgreSQL backend with a short way for the statements of `sessions/live/statement.py`."""
