"""The command line: parse, call one function, print. The one place that exits.

Each verb has a module of its own beside this one with a function of the verb's name; heavy imports stay inside those
functions, so that `mri-sij --help` loads typer and nothing more.
"""

from __future__ import annotations

import importlib
import sys

import typer

from mri_sij.errors import Exit, MriSijError

VERBS = ("scan", "convert", "segment", "score", "compare", "run", "status", "gather", "check", "phantom", "schema", "demo", "doctor")

app = typer.Typer(
    name="mri-sij",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="Bone-marrow oedema of the sacroiliac joints in STIR MRI: find it, score it (SPARCC), follow it. "
    "Research use only, not for diagnosis.",
)

for verb in VERBS:
    module = importlib.import_module(f"mri_sij.cli.{verb}")
    app.command(verb)(getattr(module, verb))


def main() -> None:
    """Run the command line; every error that is meant for a person becomes one clear message and an exit status."""
    try:
        app(standalone_mode=True)
    except MriSijError as error:
        print(f"mri-sij: {error.code}: {error}", file=sys.stderr)
        sys.exit(int(error.exit_status))
    except KeyboardInterrupt:
        print("mri-sij: stopped.", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        print(f"mri-sij: {error.strerror or type(error).__name__}", file=sys.stderr)
        sys.exit(int(Exit.UNEXPECTED))
