"""What who countersigns a round does before: the lines of the sample are looked at again."""

from __future__ import annotations

from gateway.model.equipment import Site
from gateway.model.point import Text
from rules.actions.act import Act
from rules.inspections.lifecycle import RoundState
from rules.inspections.sample import sample
from rules.ledger import findings, round_checks, round_view
from rules.ledger.round_rows import Round
from rules.ledger.view import View
from rules.orders.book import OrderBook
from rules.people.roles import WHOLE_SITE, Permission, require
from rules.refusals import ConflictError, NotFoundError, NotValidError


def check(
    act: Act, site: Site, key: str, *, agrees: bool, note: str | None, book: OrderBook
) -> None:
    """``act.subject``'s line ``key`` was looked at again. Where it is not as was written, that is
    a finding with what follows from it.

    Raises ``NotFoundError``, ``NotValidError`` (not as written, and no word of what is),
    ``ConflictError`` (the round is not signed, or was signed by the same person) or
    ``ForbiddenError``.
    """
    require(act.actor, Permission.COUNTERSIGN_ROUND)
    with act.ledger.write(site.id) as entry:
        view = View(connection=entry.connection, site=site.id)
        found = round_view.round_with(view, act.subject)
        if found is None:
            raise NotFoundError(f"there is no round {act.subject}")
        require(act.actor, Permission.COUNTERSIGN_ROUND, found.area or WHOLE_SITE)
        line = next(iter(round_view.items(view, found.id, [key])), None)
        if line is None:
            raise NotFoundError(f"there is no item {key} in {found.id}")
        if not agrees and note is None:
            raise NotValidError("note", "say what is not as it was written")
        if not act.is_new(entry, f"round.spot_check {key}"):
            return
        if found.state(act.now.wall) is not RoundState.DONE:
            raise ConflictError(f"{found.id} is not signed: there is nothing to look at again")
        if found.done_by == act.by:
            raise ConflictError("who signed a round does not check it")
        round_checks.add(entry, found.id, key, agrees=agrees, note=note, by=act.by, now=act.now)
        if not agrees:
            why = Text(zh=f"抽查与记录不符：{note}", en=f"not as written, when looked at: {note}")
            findings.record(
                entry, site, found.id, line.item, book=book, why=why, now=act.now, had_passed=True
            )
        act.record(entry, "round.spot_check", item=key, agrees=agrees, note=note)


def require_checked(view: View, found: Round) -> None:
    """Raises ``ConflictError`` while a line of the sample was not looked at."""
    lines = [kept.item for kept in round_view.items(view, found.id)]
    checked = round_checks.of_round(view, found.id)
    left = [key for key in sample(found.id, found.level, lines) if key not in checked]
    if left:
        raise ConflictError(f"to be looked at before: {', '.join(left)}")
