"""One tree of errors: each says what was measured, what was expected, and what to do about it."""

from __future__ import annotations

from enum import IntEnum
from pathlib import PurePath


class Exit(IntEnum):
    """Exit statuses of the command line (README, "Exit status")."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    SOME_FAILED = 3
    REFUSED = 4
    DIFFERS = 5


def place_of(error: BaseException) -> str:
    """File and line that raised it, which unlike its text can quote no header."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{PurePath(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"


class MriSijError(Exception):
    """Base of every error that is meant for a person.

    `code` is a stable lower-case name for tables and tests; `hint` says what the reader can do.
    Neither the message nor the hint may hold header text or anything else that identifies a patient; file
    names are given relative to the folder that the caller named.
    """

    code = "error"
    exit_status = Exit.UNEXPECTED

    def __init__(self, message: str, *, hint: str = "", files: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.files = files

    def __str__(self) -> str:
        text = self.message
        if self.files:
            shown = ", ".join(self.files[:3]) + (f" and {len(self.files) - 3} more" if len(self.files) > 3 else "")
            text += f" [{shown}]"
        return f"{text} Hint: {self.hint}" if self.hint else text


class UsageError(MriSijError):
    """The command was called in a way that cannot work."""

    code = "usage"
    exit_status = Exit.USAGE


class RefusedError(MriSijError):
    """The input cannot be read without guessing; subclasses and `code` say why."""

    code = "refused"
    exit_status = Exit.REFUSED


class GeometryError(RefusedError):
    """A grid that is not one: singular or non-finite affine, empty shape, grids that do not match."""

    code = "geometry"


class SettingsError(UsageError):
    """A settings file with an unknown key, a wrong type or an unsupported schema version."""

    code = "settings"
