from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions.codes import digest, new_secret

LINK_LIFE = timedelta(hours=24)


class ModeratorManager(BaseUserManager["Moderator"]):
    def named(self, email: str, *, name: str = "") -> Moderator:
        """The moderator with this address, made without a password when there is none yet."""
        address = self.normalize_email(email.strip()).lower()
        moderator, _created = self.get_or_create(email=address, defaults={"name": name, "password": "!"})
        return moderator


class Moderator(AbstractBaseUser):
    """Runs events; the only one with an account."""

    email = models.EmailField(_("email"), unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ModeratorManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    def __str__(self) -> str:
        return self.name or self.email

    def new_link(self) -> str:
        """The secret of a new one-time sign-in link; only its digest is stored."""
        secret = new_secret()
        self.links.create(digest=digest(secret), expires_at=timezone.now() + LINK_LIFE)
        return secret

    def choose_password(self, password: str) -> None:
        """Sets it and ends every other way in: open links here, other browsers by the changed session hash."""
        self.set_password(password)  # takes its time, in which others write
        with transaction.atomic():
            self.save(update_fields=["password"])
            self.links.filter(used_at=None).delete()


class SignInLink(models.Model):
    moderator = models.ForeignKey(Moderator, on_delete=models.CASCADE, related_name="links")
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.moderator_id}"

    def is_good(self) -> bool:
        return self.used_at is None and self.expires_at > timezone.now()

    def use(self) -> bool:
        """True once, and within its time."""
        now = timezone.now()
        return bool(SignInLink.objects.filter(pk=self.pk, used_at=None, expires_at__gt=now).update(used_at=now))
