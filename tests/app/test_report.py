"""The report says what was found, in words and figures that can be trusted; hostile text stays text."""

import json
import math
import re
from dataclasses import replace

import pytest

from drt.app import report
from drt.app.wording import sentence
from drt.errors import InputError
from drt.theory.registry import claims
from tests.app.made import Page, every_claim, printed, record, refuted, result


@pytest.fixture(scope="module")
def page_text():
    return report.html(every_claim())


def test_mathematics_sets_indices_and_escapes_the_rest():
    assert report.mathematics("δ_k (β/α)^L κ^{2(L−l)} Π_{k>l} <b>") == (
        "δ<sub>k</sub> (β/α)<sup>L</sup> κ<sup>2(L−l)</sup> Π<sub>k&gt;l</sub> &lt;b&gt;"
    )


# The terminal's table


def test_table_fits_100_columns_without_breaking_a_claim_or_status():
    text = printed(report.verdict_table(every_claim().claims))
    assert max(map(len, text.splitlines())) <= 100
    for claim in claims:
        assert claim in text
    assert "unconfirmed" in text
    assert "\x1b" not in text


def test_table_says_what_was_found():
    line = next(row for row in printed(report.verdict_table([refuted()])).splitlines() if row.startswith("theorem1"))
    assert line.split() == [
        "theorem1.function",
        "theorem",
        "refuted",
        "1,300",
        "100",
        "widths",
        "542",
        "1,000",
        "3.2",
        "4",
    ]


def test_table_is_coloured_on_a_terminal_only():
    assert "\x1b[31mrefuted" in printed(report.verdict_table([refuted()]), terminal=True)


@pytest.mark.parametrize("width", [100, 140])
def test_table_takes_the_consoles_width(width):
    assert max(map(len, printed(report.verdict_table(every_claim().claims, width), width).splitlines())) <= width


# The page


def test_page_is_well_formed_and_self_contained(page_text):
    page = Page(page_text)
    assert len(page.ids) == len(set(page.ids))
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert "http" not in page_text
    assert "@import" not in page_text
    targets = [value for name, value in page.attributes if name in ("src", "href", "xlink:href")]
    assert all(t.startswith(("#", "./witnesses/")) for t in targets)
    assert {t[1:] for t in targets if t.startswith("#")} <= set(page.ids)
    assert all(url.startswith("#") for url in re.findall(r"url\(([^)]*)\)", page_text))


def test_page_holds_every_claim_with_its_words(page_text):
    page = Page(page_text)
    for r in every_claim().claims:
        assert r.id in page.ids
        assert sentence(r) in page.text
    identities = sum(claim.kind == "identity" for claim in claims.values())
    assert page.tags.count("svg") == 2 * len(claims) - identities  # an identity has no looseness
    assert "W_1 = [1 0] ratio 500 > ½" in page.text
    assert "784-64-10" in page.text
    assert "150: 87.5 %" in page.text
    assert "seed 7" in page.text


def test_page_comes_with_the_table_first(page_text):
    places = [page_text.index(mark) for mark in ("<h1>", "<table", "<section", "How loose")]
    assert places == sorted(places)


@pytest.mark.parametrize("field", ["id", "statement", "source", "kind", "counterexample", "witness"])
def test_hostile_text_is_escaped(field):
    text = report.html(result(refuted(**{field: "<script>alert(1)</script>\"'onload=x"})))
    assert "<script" not in text
    assert "&lt;script" in text
    Page(text)


def test_hostile_reasons_networks_and_schemes_are_harmless():
    data = result(refuted(inapplicable_why={"<img src=x>": 3}, witness="javascript:alert(1)"))
    data = replace(data, networks=[replace(data.networks[0], name="<b>bold")])
    page = Page(report.html(data))
    assert "img" not in page.tags
    assert "<b>bold" in page.text
    assert ("href", "./javascript:alert(1)") in page.attributes


def test_interrupted_and_quick_runs_say_so():
    data = result(record(), interrupted=True, quick=True)
    assert "This run was interrupted" in Page(report.html(data)).text
    assert "The timeout cut this run short" in Page(report.html(replace(data, cut=True))).text
    assert "This was a quick run" in Page(report.html(data)).text
    assert "interrupted" not in Page(report.html(result(record()))).text


def test_page_without_any_evidence():
    empty = record(instances=0, inapplicable=0, inapplicable_why={}, max_ratio=None, max_log_ratio=None,
                   median_looseness=None, points=[], looseness={"random": [], "trained": []})  # fmt: skip
    page = Page(report.html(result(empty, networks=[])))
    assert "svg" not in page.tags
    assert "nothing was tried" in page.text


def test_the_same_result_gives_the_same_page():
    assert report.html(result(refuted())) == report.html(result(refuted()))


def test_write_makes_both_files(tmp_path):
    data = result(refuted())
    report.write(data, tmp_path / "new" / "folder")
    folder = tmp_path / "new" / "folder"
    assert sorted(p.name for p in folder.iterdir()) == ["report.html", "report.json"]
    assert json.loads((folder / "report.json").read_text()) == data.as_dict()
    assert (folder / "report.html").read_text() == report.html(data)


def test_write_names_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"--out '.*file' must be a folder that can be written: "):
        report.write(result(record()), tmp_path / "file")


def test_a_failed_write_leaves_the_old_report(tmp_path, monkeypatch):
    report.write(result(record()), tmp_path)
    old = (tmp_path / "report.json").read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(InputError, match="No space left on device"):
        report.write(result(refuted()), tmp_path)
    assert (tmp_path / "report.json").read_bytes() == old
    assert len(list(tmp_path.iterdir())) == 2


def test_a_number_that_json_does_not_have_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        report.write(result(record(seconds=math.nan)), tmp_path)
    assert list(tmp_path.iterdir()) == []
