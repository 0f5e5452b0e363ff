"""The figures of a month of work orders, as a document and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from api import models
from api.views import words
from gateway.files.spreadsheet import csv_file
from gateway.model.point import Text
from rules.ledger.order_figures import OrderFigures, Share
from rules.orders.targets import Indicator, Targets

_LABELS = {
    Indicator.VISITED: Text(zh="维修回访率", en="Return visits in time"),
    Indicator.IN_TIME: Text(zh="零修急修及时率", en="Repairs in time"),
    Indicator.REOPENED: Text(zh="返修率", en="Done again"),
    Indicator.SATISFIED: Text(zh="回访满意率", en="Satisfied"),
}
_HEAD = ("month", "indicator", "指标", "count", "of", "percent", "target", "met", "how")


def document(found: OrderFigures, targets: Targets, zone: tzinfo) -> models.OrderFigures:
    return models.OrderFigures(
        month=f"{found.month:%Y-%m}",
        start=words.moment(found.start, zone),
        end=words.moment(found.end, zone),
        indicators=[_indicator(one, share, targets) for one, share in found.shares.items()],
    )


def table(months: Sequence[models.OrderFigures]) -> bytes:
    """As CSV; no rate is an empty cell."""
    rows = [
        (
            month.month,
            one.name,
            one.label.zh,
            one.count,
            one.of,
            None if one.percent is None else round(one.percent, 1),
            _target(one),
            {True: "yes", False: "no", None: None}[one.met],
            one.how.zh,
        )
        for month in months
        for one in month.indicators
    ]
    return csv_file([_HEAD, *rows])


def _target(one: models.OrderIndicator) -> str:
    return "" if one.target is None else f"{'>=' if one.target_is_least else '<='}{one.target:g}"


def _indicator(name: Indicator, share: Share, targets: Targets) -> models.OrderIndicator:
    target = targets.by_indicator.get(name)
    percent = share.percent
    met = None if target is None or percent is None else target.is_met_by(percent)
    return models.OrderIndicator(
        name=name.value,
        label=words.text(_LABELS[name]),
        how=words.text(_how(name, share, targets)),
        count=share.count,
        of=share.of,
        percent=percent,
        target=None if target is None else target.percent,
        target_is_least=target is None or target.is_least,
        met=met,
        source=None if target is None else target.source,
    )


def _how(name: Indicator, share: Share, targets: Targets) -> Text:
    count, of, days = share.count, share.of, targets.visit_within_days
    match name:
        case Indicator.VISITED:
            return Text(
                zh=f"当月关闭的报修 {of} 单，验收后 {days} 个工作日内回访 {count} 单",
                en=f"{of} requests closed, {count} visited within {days} working day(s) after "
                "the work was found good",
            )
        case Indicator.IN_TIME:
            return Text(
                zh=f"当月完工且有时限的维修 {of} 单，按时完工 {count} 单",
                en=f"{of} repairs with a time limit completed, {count} of them in time",
            )
        case Indicator.REOPENED:
            return Text(
                zh=f"当月报完工 {of} 单，其中复发、验收不合格或业主不满意 {count} 单",
                en=f"{of} orders said to be done, {count} of them came back, were rejected or "
                "left the owner not satisfied",
            )
        case Indicator.SATISFIED:
            return Text(
                zh=f"当月回访 {of} 次，满意 {count} 次",
                en=f"{of} return visits, {count} with the owner satisfied",
            )
