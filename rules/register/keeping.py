"""How long what is on record is kept, by what it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.model.equipment import Site
from gateway.model.moment import DAY
from rules.register.book import LEAST_YEARS, OTHERS, RegisterBook
from rules.register.record import Record

_YEAR = 366 * DAY
"""µs; rather a day too long than too short."""


class Keeping:
    """For how long the records of each thing of a site are kept."""

    def __init__(self, site: Site, book: RegisterBook, records: Mapping[str, Record]) -> None:
        self._book = book
        self._classes: dict[str, str | None] = {
            name: record.attributes.equipment_class for name, record in records.items()
        }
        self._classes |= {name: one.equipment_class for name, one in site.equipment.items()}
        # An order may be about an area, or about the whole site.
        self._classes |= dict.fromkeys((*site.areas, site.id))

    def of(self, subject: str | None) -> int | None:
        """µs after the end; None: for ever. Of what is not known any more nobody can say of what
        class it was: the longest counts."""
        if subject is None:
            return _long(self._book.kept_for(None))
        if subject in self._classes:
            return _long(self._book.kept_for(self._classes[subject]))
        return self.longest

    def of_all(self, subjects: Iterable[str | None]) -> int | None:
        """As long as the one of them that is kept longest; of none: as what has no class."""
        kept = [self.of(subject) for subject in set(subjects)] or [self.of(None)]
        return None if None in kept else max(one for one in kept if one is not None)

    @property
    def longest(self) -> int | None:
        """As anything is kept; None: something is for ever."""
        if OTHERS not in self._book.keep_years:
            return None
        return _long(max((*self._book.keep_years.values(), *LEAST_YEARS.values())))

    @property
    def shortest(self) -> int | None:
        """Below that nothing is removed; None: nothing ever is."""
        years = self._book.keep_years.values()
        return _long(min(years)) if years else None


def _long(years: int | None) -> int | None:
    return None if years is None else years * _YEAR
