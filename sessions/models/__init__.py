from sessions.models.event import MINUTES, MOST_QUESTIONS, MOST_SESSIONS, Event, Question, Session
from sessions.models.moderator import Moderator, SignInLink
from sessions.models.participant import Device, HandOver, Participant
from sessions.models.stream import Change, Stream

__all__ = [
    "MINUTES",
    "MOST_QUESTIONS",
    "MOST_SESSIONS",
    "Change",
    "Device",
    "Event",
    "HandOver",
    "Moderator",
    "Participant",
    "Question",
    "Session",
    "SignInLink",
    "Stream",
]
