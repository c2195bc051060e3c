"""Dotted names of things from outside the project against the ``root:Name`` entries of the tables."""

from __future__ import annotations


def fits(dotted: str, root: str, name: str) -> bool:
    """True where a dotted name starts in a package (``langchain`` fits ``langchain_aws.chat_models``) and ends in
    a name."""
    package = dotted.split(".", 1)[0]
    return (package == root or package.startswith(root + "_")) and (
        dotted == f"{root}.{name}" or dotted.endswith("." + name)
    )


def named(dotted: str, pairs: tuple[tuple[str, str], ...]) -> bool:
    """True where any of the entries fits."""
    return any(fits(dotted, root, name) for root, name in pairs)
