"""Who is signed in stays so: the keys that were stored until now become their digests."""

from django.db import migrations

from sessions.codes import SESSION_KEY, login_digest


def put_away(apps, schema_editor):
    sessions = apps.get_model("sessions", "Session").objects
    for row in sessions.all():
        if SESSION_KEY.fullmatch(row.session_key):
            sessions.filter(pk=row.pk).update(session_key=login_digest(row.session_key))


def sign_out(apps, schema_editor):
    """No digest tells the key."""
    apps.get_model("sessions", "Session").objects.all().delete()


class Migration(migrations.Migration):

    dependencies = [
        ('cafe', '0006_found_by_operation'),
        ('sessions', '0001_initial'),
    ]

    operations = [
        migrations.RunPython(put_away, sign_out),
    ]
