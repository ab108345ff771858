"""The secret of this installation: made once, kept in a file that only its owner reads."""

import os
import secrets
from pathlib import Path

NAME = "secret_key"
BYTES = 48


def secret_in(folder: Path) -> str:
    """The secret kept in `folder`, made there when there is none yet; the first of several processes wins.

    Raises `OSError` when the folder cannot be written.
    """
    path = folder / NAME
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        publish(path, secrets.token_urlsafe(BYTES))
    return path.read_text(encoding="ascii").strip()


def publish(path: Path, text: str) -> None:
    """Writes the whole file beside its place and links it there, so that nobody ever reads half of it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
