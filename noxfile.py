"""Task runner: ``nox -s tests`` is what the README and CI run."""

from __future__ import annotations

import nox

nox.options.sessions = ["tests"]


@nox.session
def tests(session: nox.Session) -> None:
    """Fast tests."""
    session.install("-e", ".", *nox.project.dependency_groups(nox.project.load_toml(), "test"))
    session.run("pytest", "-m", "not long", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, format and types."""
    session.install("-e", ".", *nox.project.dependency_groups(nox.project.load_toml(), "lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
