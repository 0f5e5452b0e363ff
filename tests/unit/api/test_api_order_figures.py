"""The figures of a month of orders, over the wire."""

from __future__ import annotations

import csv
import io

from fastapi.testclient import TestClient


def test_a_month_as_a_document_and_several_as_a_table(client: TestClient) -> None:
    found = client.get("/api/v1/order-figures").json()
    names = [one["name"] for one in found["indicators"]]
    assert names == ["visited", "in_time", "reopened", "satisfied"]
    visited = found["indicators"][0]
    assert (visited["of"], visited["percent"], visited["met"]) == (0, None, None)
    assert (visited["target"], visited["target_is_least"]) == (30, True)
    assert visited["how"]["zh"].startswith("当月关闭的报修 0 单")
    answer = client.get("/api/v1/order-figures.csv", params={"month": "2026-01", "months": 2})
    assert answer.headers["content-type"].startswith("text/csv")
    assert "order-figures-2026-01.csv" in answer.headers["content-disposition"]
    head, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert head[:3] == ["month", "indicator", "指标"]
    assert [row[0] for row in rows] == ["2026-01"] * 4 + ["2025-12"] * 4
    assert client.get("/api/v1/order-figures", params={"month": "2026-13"}).status_code == 422
