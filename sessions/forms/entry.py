"""The forms at the doors: code, name, account."""

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sessions.codes import as_code
from sessions.live.ops import Refused
from sessions.models import Moderator
from sessions.names import clean_name

LONGEST_PASSWORD = 256
LONGEST_CODE = 100  # as typed; beyond it nobody means a code


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Event code"),
        help_text=_("On the invitation, or on the screen in the room. Capitals and spaces do not matter."),
        error_messages={"required": _("Please enter the code of your event.")},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "placeholder": "K7M2 QXHB",
                "maxlength": LONGEST_CODE,
            }
        ),
    )

    def clean_code(self) -> str:
        return as_code(self.cleaned_data["code"][:LONGEST_CODE])


class NameForm(forms.Form):
    """`ticket` makes two taps on the button one person."""

    name = forms.Field(
        label=_("Your name"),
        help_text=_("This is how the others at the table see you. A first name is enough."),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name", "dir": "auto", "required": True}),
    )
    ticket = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_name(self) -> str:
        try:
            return clean_name(self.cleaned_data["name"] or "")
        except Refused as refused:
            raise forms.ValidationError(self.sentence(refused.code), code=refused.code) from None

    @staticmethod
    def sentence(code: str) -> str:
        if code == "too_long":
            return gettext("This name is too long. Please use at most 40 characters.")
        return gettext("Please enter a name that can be seen.")


class SignInForm(forms.Form):
    email = forms.CharField(
        label=_("Email"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasswordForm(forms.Form):
    """A new password; the present one is asked for where there is one and nobody came by a one-time link."""

    present = forms.CharField(
        label=_("Present password"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label=_("New password"),
        help_text=_("At least 10 characters. Three or four words that nobody would put together are a good choice."),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, moderator: Moderator, ask: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.moderator = moderator
        if not ask:
            del self.fields["present"]

    def clean_present(self) -> str:
        present: str = self.cleaned_data["present"]
        if not self.moderator.check_password(present):
            raise forms.ValidationError(gettext("This is not your present password."))
        return present

    def clean_new(self) -> str:
        new: str = self.cleaned_data["new"]
        password_validation.validate_password(new, self.moderator)
        return new
