"""The command `churn`."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Real-time churn early warnings.")


@app.callback()
def root() -> None:
    """Real-time churn early warnings for a telecom operator."""


def main() -> None:
    """Run the command line."""
    app()
