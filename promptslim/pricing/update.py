"""``prices update``: take prices over from a file, and say what that changes."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import date
from pathlib import Path

from promptslim.catalog import Catalog
from promptslim.catalog.model_facts import Rates
from promptslim.core.record import record, replace
from promptslim.pricing.price_file import PriceFile, PriceFileError, prices_table, read_prices, written_prices
from promptslim.pricing.price_path import prices_path


@record
class PriceUpdate:
    """New prices and how they differ from the ones in force: ids, sorted.

    ``removed``: in the old price file but not in the new one; the price that came with the package, if
    there is one, holds again. ``unchanged`` and ``skipped`` (entries for other providers or without text
    output) are counts.
    """

    prices: PriceFile
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    skipped: int


def price_update(shipped: Catalog, old: PriceFile | None, new: PriceFile) -> PriceUpdate:
    """Compare the prices in force (``shipped`` with the file ``old``) with those after ``new``. Pure."""
    grammar = shipped.id_grammar()
    before = shipped.with_user({}, prices=prices_table(old, grammar)) if old else shipped
    after = shipped.with_user({}, prices=prices_table(new, grammar))
    added: list[str] = []
    changed: list[str] = []
    unchanged = 0
    for model_id in sorted(new.models):
        now = _figures(after, model_id)
        then = _figures(before, model_id)
        if now is None or now == then:
            unchanged += 1
        else:
            (changed if then else added).append(model_id)
    removed = sorted(old.models.keys() - new.models.keys()) if old else []
    return PriceUpdate(new, tuple(added), tuple(changed), tuple(removed), unchanged, new.skipped)


def _figures(catalog: Catalog, model_id: str) -> Rates | None:
    """The rates without their provenance."""
    facts = catalog.model(model_id)
    return replace(facts.rates, source="", as_of=date.min) if facts and facts.rates else None


def update_prices(shipped: Catalog, source: Path, target: Path) -> PriceUpdate:
    """Read ``source``, write it to ``target`` in our own format, whole or not at all.

    A litellm map is dated by the file's time. Raises PriceFileError with one line on what to do.
    """
    new = _read(source)
    old = _read(target) if target.exists() else None
    update = price_update(shipped, old, new)
    _replace(target, written_prices(new))
    return update


def user_prices(chosen: str | None) -> PriceFile | None:
    """The price file in force, None where there is none. A file that the configuration names has to exist.

    Raises PriceFileError.
    """
    path = Path(prices_path(chosen))
    return _read(path) if chosen or path.is_file() else None


def _read(path: Path) -> PriceFile:
    try:
        text = path.read_text("utf-8-sig")
        stamp = date.fromtimestamp(path.stat().st_mtime)
    except UnicodeDecodeError:
        raise PriceFileError(f"{path}: not UTF-8 text") from None
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise PriceFileError(f"{path}: cannot be read: {reason}") from None
    return read_prices(text, str(path), stamp)


def _replace(target: Path, text: str) -> None:
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, "utf-8", newline="\n")
        partial.replace(target)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        reason = error.strerror or "unknown error"
        raise PriceFileError(
            f"{target}: cannot be written: {reason}; choose another place with `prices = ...`"
        ) from None
