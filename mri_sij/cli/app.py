"""The command line: parse, call one function, print. The one place that exits.

Each verb has a module of its own beside this one with a function of the verb's name; heavy imports stay inside those
functions, so that `mri-sij --help` loads typer and nothing more.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
import warnings
from typing import Annotated

import typer

from mri_sij import __version__
from mri_sij.errors import Exit, MriSijError, place_of

VERBS = (
    "scan", "convert", "segment", "score", "compare", "run", "status", "gather", "check", "phantom", "schema", "demo",
    "doctor",
)  # fmt: skip

app = typer.Typer(
    name="mri-sij",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Bone-marrow oedema of the sacroiliac joints in STIR MRI: find it, score it (SPARCC), follow it. "
    "Research use only, not for diagnosis.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mri_sij {__version__}")
        raise typer.Exit


@app.callback()
def _about(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Options of the program itself."""


for verb in VERBS:
    function = getattr(importlib.import_module(f"mri_sij.cli.{verb}"), verb)
    # Paragraphs flow: typer keeps the line breaks of all but the first, whatever the width of the terminal.
    app.command(verb, help="\n\n".join(" ".join(part.split()) for part in function.__doc__.split("\n\n")))(function)


def main() -> None:
    """Run the command line; every error that is meant for a person becomes one clear message and an exit status."""
    _prepare_streams()
    try:
        app(standalone_mode=True)
    except MriSijError as error:
        _say(f"{error.code}: {error}")
        sys.exit(int(error.exit_status))
    except KeyboardInterrupt:
        _say("stopped.")
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output went away (`mri-sij scan | head`); Python must not complain of it again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(int(Exit.UNEXPECTED))
    except OSError as error:
        _say(os.strerror(error.errno) if error.errno else type(error).__name__)
        sys.exit(int(Exit.UNEXPECTED))
    except Exception as error:  # the message of an unforeseen error may quote a header; its type and place do not
        if os.environ.get("MRI_SIJ_DEBUG"):
            raise
        where = f"{type(error).__name__} at {place_of(error)}"
        _say(f"unexpected: {where}. MRI_SIJ_DEBUG=1 shows the traceback, header text and all.")
        sys.exit(int(Exit.UNEXPECTED))


def _prepare_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A folder's name may hold what the terminal's own encoding lacks.
            stream.reconfigure(errors="backslashreplace")
    if not os.environ.get("MRI_SIJ_DEBUG"):
        warnings.simplefilter("ignore")  # those of libraries quote header values


def _say(message: str) -> None:
    print(f"mri-sij: {message}", file=sys.stderr)
