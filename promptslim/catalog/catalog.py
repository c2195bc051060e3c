"""Typed access to the rule pages and data tables."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from promptslim.catalog.errors import CatalogError
from promptslim.catalog.rule_meta import RuleMeta
from promptslim.catalog.store import compiled_text
from promptslim.config.data_folder import data_folder

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.catalog.model_id import Grammar
    from promptslim.catalog.model_lookup import Models

_loaded: dict[str, Catalog] = {}


def load() -> Catalog:
    """The catalog of this installation, read once per process.

    Raises CatalogError where a data file is missing or broken.
    """
    try:
        folder = data_folder()
    except FileNotFoundError as error:
        raise CatalogError("rules", None, str(error)) from None
    if folder not in _loaded:
        core, models = compiled_text(folder)
        _loaded[folder] = Catalog(folder, json.loads(core), models)
    return _loaded[folder]


class Catalog:
    """Rules, SDK tables, thresholds, phrases and models.

    The model tables are parsed at the first question about a model: most files ask none.
    """

    __slots__ = (
        "_by_name",
        "_core",
        "_folder",
        "_models",
        "_models_text",
        "_names",
        "_priced",
        "_region",
        "_tables",
        "rules",
    )

    rules: tuple[RuleMeta, ...]
    """Every rule with a page, in order of code."""

    def __init__(self, folder: str, core: Mapping[str, Any], models_text: str) -> None:
        self._folder = folder
        self._core = core
        self._models_text = models_text
        self._names: Mapping[str, str] = {}
        self._tables: tuple[Mapping[str, Any], ...] = ()
        self._region: str | None = None
        self._priced: date | None = None
        self._models: Models | None = None
        self.rules = tuple(_rule(entry) for entry in core["rules"])
        self._by_name = {key: rule for rule in self.rules for key in (rule.code, rule.name)}

    @property
    def sdks(self) -> tuple[dict[str, Any], ...]:
        """The tables of ``rules/sdks``, in order of file name."""
        return tuple(self._core["sdks"])

    @property
    def thresholds(self) -> Mapping[str, int | float]:
        """The numbers of ``rules/thresholds.toml`` by name; units and reasons stand there."""
        thresholds: Mapping[str, int | float] = self._core["thresholds"]
        return thresholds

    @property
    def phrases(self) -> Mapping[str, Any]:
        """``rules/phrases.toml`` as it is written; its patterns are for ``re.IGNORECASE``."""
        phrases: Mapping[str, Any] = self._core["phrases"]
        return phrases

    @property
    def origins(self) -> Mapping[str, Any]:
        """``rules/origins.toml`` as it is written: where the values come from that fill prompts."""
        origins: Mapping[str, Any] = self._core["origins"]
        return origins

    @property
    def as_of(self) -> date:
        """Date of the prices: of the user's price file, else of the oldest table that came with the package."""
        from datetime import date

        return self._priced or date.fromisoformat(self._core["as_of"])

    def rule(self, code_or_name: str) -> RuleMeta | None:
        """The rule ``PS101`` or ``missing-max-tokens``."""
        return self._by_name.get(code_or_name)

    def rule_page(self, code_or_name: str) -> str:
        """The Markdown of a rule's page. Raises KeyError for an unknown rule, CatalogError where the page
        cannot be read."""
        rule = self._by_name[code_or_name]
        path = os.path.join(self._folder, rule.family, f"{rule.name}.md")  # noqa: PTH118 (as in store.py)
        try:
            with open(path, encoding="utf-8") as file:  # noqa: PTH123
                return file.read()
        except (OSError, ValueError) as error:
            raise CatalogError(path, None, f"cannot be read: {error}") from None

    def base_of(self, model_id: str) -> str:
        """The model that an id stands for, whatever its profile or region; an unknown id stands for itself."""
        facts = self.model(model_id)
        return facts.base if facts is not None else model_id

    def model(self, model_id: str, *, route: str | None = None) -> ModelFacts | None:
        """What is known of a model id as it is written in code: bare, with an SDK's or gateway's prefix,
        with a geo profile, or inside an ARN.

        None where the id does not say which model it is (application profiles, prompt ARNs and deployment
        names that the user's map does not hold, unknown names). An unknown version of a known family has
        the family's facts and no limits, dates or prices. ``route`` tells what the client is where the id
        cannot: ``azure``, ``local`` and ``other`` (an endpoint with a price list of its own) take prices
        away, ``bedrock_mantle`` selects that endpoint's ids.
        """
        return self._model_tables().find(model_id, route)

    def models(self) -> tuple[ModelFacts, ...]:
        """Every model of the tables, once per geo profile and region that has a price of its own."""
        return self._model_tables().every()

    def with_user(
        self,
        models: Mapping[str, str],
        tables: Sequence[Mapping[str, Any]] = (),
        *,
        prices: Mapping[str, Any] | None = None,
        region: str | None = None,
    ) -> Catalog:
        """This catalog as the user changes it.

        ``models``: ARN, profile id or alias -> model id. ``tables``: model tables in the layout of
        ``rules/models``; a later entry of the same id wins, key by key. ``prices``: such a table made from
        a price file; it comes before ``tables``, and its date becomes ``as_of``. ``region``: whose prices
        count for a Bedrock id that names none.

        Raises CatalogError where a table does not have that layout.
        """
        catalog = Catalog(self._folder, self._core, self._models_text)
        catalog._names = {**self._names, **models}
        catalog._tables = (*self._tables, *((prices,) if prices else ()), *tables)
        catalog._region = region or self._region
        catalog._priced = prices["as_of"] if prices else self._priced
        if tables or prices:
            catalog._model_tables()
        return catalog

    def read_table(self, path: Path) -> Mapping[str, Any]:
        """A user's model table for ``with_user``, read and checked.

        Raises CatalogError with file and line.
        """
        from promptslim.catalog.compiling import read_user_table

        return read_user_table(path, self.id_grammar())

    def id_grammar(self) -> Grammar:
        """How model ids are read."""
        from promptslim.catalog.model_id import Grammar

        return Grammar(json.loads(self._models_text)["ids"])

    def _model_tables(self) -> Models:
        if self._models is None:
            from promptslim.catalog.model_id import Grammar
            from promptslim.catalog.model_lookup import Models
            from promptslim.catalog.model_tables import extended

            compiled = json.loads(self._models_text)
            grammar, tables = Grammar(compiled["ids"]), compiled["tables"]
            for number, table in enumerate(self._tables, 1):
                name = f"user model table {number}"
                tables = extended(tables, table, grammar, lambda _kind, _number, name=name: (name, None))  # type: ignore[misc]
            self._models = Models(tables, grammar, self._names, self._region)
        return self._models


def _rule(entry: Mapping[str, Any]) -> RuleMeta:
    return RuleMeta(
        code=entry["code"],
        name=entry["name"],
        family=entry["family"],
        summary=entry["summary"],
        severity=entry["severity"],
        confidence=entry["confidence"],
        since=entry["since"],
        pedantic=entry["pedantic"],
        fix=entry["fix"] or "no",
        inputs=tuple(entry["inputs"]),
        options=entry["options"],
        option_descriptions=entry["option_descriptions"],
    )
