"""Read new prices from a file."""

from __future__ import annotations

from promptslim.cli.error import UsageError
from promptslim.cli.parameters import Given, Option, Parameters
from promptslim.cli.session import write
from promptslim.cli.settings_flags import CONFIGURATION, configured

PARAMETERS: Parameters = (
    Option(("--from",), "Price file: a price map of litellm, or one that this command wrote.", "value", "FILE"),
    *CONFIGURATION,
)

SHOWN = 20


def run(given: Given) -> int:
    """Read prices from a file and use them from now on, in place of those that came with promptslim.

    They are kept in the file that `prices` of the configuration names, else in the cache folder of the user.
    Nothing is downloaded.
    """
    source = given.value("from")
    if source is None:
        raise UsageError("name the file to read: promptslim prices update --from FILE")
    import os
    from pathlib import Path

    from promptslim.catalog import load
    from promptslim.pricing.price_path import prices_path
    from promptslim.pricing.update import update_prices

    place, _ = configured(given)
    chosen = place.settings.prices
    target = Path(prices_path(os.path.join(place.cwd, chosen) if chosen else None))  # noqa: PTH118
    update = update_prices(load(), Path(place.cwd, source), target)
    write([f"{target}: prices of {update.prices.source}, as of {update.prices.as_of.isoformat()}\n"])
    for what, ids in (("new", update.added), ("changed", update.changed), ("no longer in the file", update.removed)):
        write(_listed(what, ids))
    write([f"{update.unchanged} unchanged, {update.skipped} entries of other kinds passed over\n"])
    return 0


def _listed(what: str, ids: tuple[str, ...]) -> list[str]:
    from promptslim.report.escape import one_line

    if not ids:
        return []
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return [f"{len(ids)} {what}: {', '.join(map(one_line, ids[:SHOWN]))}{more}\n"]
