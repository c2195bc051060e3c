"""Where this installation comes from: what a hook or a workflow has to name to install the same."""

from __future__ import annotations

import re

from promptslim.core.record import record

DISTRIBUTION = "promptslim-lint"
_PLAIN = re.compile(r"[\w@:/.+~%-]+")
"""Characters of a URL or path that mean nothing to a shell or in YAML."""

_REVISION = re.compile(r"\w[\w./+-]*")
_GITHUB = re.compile(r"(?:https://|git@|ssh://git@)github\.com[/:](?P<name>[\w.-]+/[\w.-]+?)(?:\.git)?/?$")


@record
class Source:
    """A git repository and the revision (tag or commit) of it."""

    url: str
    revision: str

    @property
    def on_github(self) -> str | None:
        """``owner/name`` of a repository on GitHub, None for any other."""
        match = _GITHUB.match(self.url)
        return match["name"] if match else None

    @property
    def requirement(self) -> str:
        """What pip installs. Never the name alone: another project has that of the command on PyPI."""
        url = self.url if "://" in self.url else f"file://{self.url}"
        return f"git+{url}@{self.revision}"


def parse(text: str) -> Source | None:
    """``URL@REVISION``, None for anything else."""
    url, _, revision = text.rpartition("@")
    return _source(url, revision)


def _source(url: str, revision: str) -> Source | None:
    return Source(url, revision) if _PLAIN.fullmatch(url) and _REVISION.fullmatch(revision) else None


def installed_from() -> Source | None:
    """The repository and commit that pip recorded (PEP 610); for a folder, those of the clone that it is. None where
    neither is known."""
    import json
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        recorded = distribution(DISTRIBUTION).read_text("direct_url.json")
        data = json.loads(recorded) if recorded else {}
    except (PackageNotFoundError, OSError, ValueError):
        return None
    match data:
        case {"url": str(url), "vcs_info": {"commit_id": str(commit)}}:
            return _source(url, commit)
        case {"url": str(url), "dir_info": dict()}:
            return _clone(url)
        case _:
            return None


def _clone(url: str) -> Source | None:
    import subprocess
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    folder = url2pathname(urlsplit(url).path)
    answers: list[str] = []
    for words in (("config", "--get", "remote.origin.url"), ("rev-parse", "--verify", "--quiet", "HEAD")):
        try:
            command = ["git", "-C", folder, *words]
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (fixed words)
        except OSError:
            return None
        if done.returncode or not done.stdout.strip():
            return None
        answers.append(done.stdout.strip())
    return _source(*answers)
