from tables.models.board import COLOURS, Authorship, Board, Note, Takeaway, readable, walkers
from tables.models.table import MOST_TABLES, SEATS, Seat, SeatHistory, Table

__all__ = [
    "COLOURS",
    "MOST_TABLES",
    "SEATS",
    "Authorship",
    "Board",
    "Note",
    "Seat",
    "SeatHistory",
    "Table",
    "Takeaway",
    "readable",
    "walkers",
]
