"""The sentence that goes with each code."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

SENTENCES = {
    "too_large": gettext_noop("That was too much at once."),
    "bad_json": gettext_noop("That could not be read. Please reload the page."),
    "bad_frame": gettext_noop("That could not be read. Please reload the page."),
    "unknown_type": gettext_noop("That could not be read. Please reload the page."),
    "bad_field": gettext_noop("Something in it is not as it should be. Please reload the page."),
    "bad_text": gettext_noop("There are characters in the text that cannot be stored."),
    "too_long": gettext_noop("The text is too long. Please shorten it."),
    "empty": gettext_noop("There is nothing to read in it yet."),
    "name_empty": gettext_noop("Please enter a name that can be seen."),
    "not_found": gettext_noop("That is not here any more."),
    "not_allowed": gettext_noop("Only the moderator can do that."),
    "not_allowed_now": gettext_noop("That is not possible at the moment."),
    "session_closed": gettext_noop("The session is over. You can copy your text."),
    "board_locked": gettext_noop("This tablecloth is closed. You can copy your text."),
    "no_seat": gettext_noop("You have no seat at this table."),
    "not_owner": gettext_noop("This note belongs to somebody else."),
    "conflict": gettext_noop("The note has been changed in the meantime."),
    "op_id_conflict": gettext_noop("That was sent twice with different words. Please try again."),
    "board_full": gettext_noop("There is no room for another note on this tablecloth."),
    "table_full": gettext_noop("This table is full."),
    "outdated": gettext_noop("This page is outdated. Please reload it."),
    "rate_limited": gettext_noop("That was very fast. It goes on in a moment."),
    "busy": gettext_noop("There is a lot going on. It is tried again."),
    "storage_full": gettext_noop("There is no more room on the server. It is tried again."),
    "internal": gettext_noop("Something went wrong here. It is tried again."),
    "removed": gettext_noop("The moderation has removed you from this event."),
    "sign_in": gettext_noop("Please join again."),
    "too_many_tabs": gettext_noop("This event is open in too many tabs."),
}

BY_HAND = {  # where no script sends it again
    "rate_limited": gettext_noop("That was very fast. Please send it again in a moment."),
    "busy": gettext_noop("There is a lot going on. Please send it again in a moment."),
    "storage_full": gettext_noop("There is no more room on the server. Please send it again later."),
    "internal": gettext_noop("Something went wrong here. Please send it again."),
}


def say(code: str, language: str, names: tuple[str, ...] | None = None, *, by_hand: bool = False) -> str:
    """The sentence for a code in a language; `names` are the tables with free seats, as far as that is known.

    `by_hand` when the reader has to send it again, because no script does.
    """
    sentences = {**SENTENCES, **BY_HAND} if by_hand else SENTENCES
    with override(language):
        sentence = _(sentences.get(code, sentences["internal"]))
        if names is not None:
            free = _("Free seats: %(tables)s.") % {"tables": ", ".join(names[:12])} if names else _("All are full.")
            return f"{sentence} {free}"
        return sentence
