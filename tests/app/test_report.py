"""The report says what was found, in words and figures that can be trusted; hostile text stays text."""

import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from rich.console import Console

from drt.app import plots, report
from drt.app.records import ClaimRecord, OriginRecord, Report
from drt.app.tasks import TrainedNetwork
from drt.app.wording import largest_ratio, main_reason, sentence
from drt.errors import InputError
from drt.theory.registry import claims

VOID = {"meta", "br", "link", "img", "hr", "input"}


def origin(instances=0, inapplicable=0, violations=0, undecided=0, max_ratio=None, median_looseness=None):
    return OriginRecord(instances, inapplicable, violations, undecided, max_ratio, median_looseness)


def record(status="holds", **changes):
    base = {
        "id": "theorem1.function", "kind": "theorem", "known": "true", "quantity": "function", "statement": "‖f̃‖ ≤ δ_k",
        "source": "paper", "status": status, "instances": 1300, "inapplicable": 100,
        "inapplicable_why": {"widths: 2-1 do not never contract": 70, "conditioning-w: κ(W_1) = ∞": 30}, "violations": 0,
        "certified": 0, "undecided": 0, "max_ratio": 0.982, "max_log_ratio": math.log(0.982), "median_looseness": 3.2,
        "witness": None, "counterexample": None, "seconds": 4.2,
        "origins": {
            "random": origin(1000, 100, 0, 0, 0.5, 3.2), "extremal": origin(200), "trained": origin(),
            "attack": origin(100, 0, 0, 0, 0.982),
        },
        "points": [["random", 2, -3.0, -1.0], ["attack", 1, 0.0, 0.01]],
        "looseness": {"random": [[1, 1.0, 2.0, 3.0], [4, 2.0, 5.0, 9.0]], "trained": []},
    }  # fmt: skip
    return ClaimRecord(**base | changes)


def refuted(**changes):
    own = record(
        "refuted", violations=542, certified=1, max_ratio=1000.0, max_log_ratio=math.log(1000), witness="witnesses/a.json",
        counterexample="W_1 = [1 0]\nratio 500 > ½", points=[["extremal", 1, 2.7, -0.3], ["random", 1, -1.0, 0.0]],
    )  # fmt: skip
    return replace(own, **changes)


def result(*records, **changes):
    network = TrainedNetwork(
        name="leaky-2", depth=2, widths=[784, 64, 10], activation="leaky_relu:0.1", optimiser="fromage", outcome="finished",
        checkpoints=[0, 150], accuracy=[0.1, 0.875], slack=[],
    )  # fmt: skip
    plain = Report(
        schema=1, version="0.1.0", seed=7, quick=False, seconds=93.1, interrupted=False, cut=False, networks=[network],
        claims=list(records),
    )  # fmt: skip
    return replace(plain, **changes)


def every_claim():
    """All real claims, with every status and with ranges from 1e-300 to 1e300."""
    records = []
    for i, claim in enumerate(claims.values()):
        base = refuted() if i % 3 == 0 else record(("proved", "holds", "unconfirmed")[i % 3])
        points = [["random", 3, -300.0 + 40 * k, -300.0 + 42 * k] for k in range(15)] if i == 1 else base.points
        same = {name: getattr(claim, name) for name in ("id", "kind", "quantity", "statement", "source")}
        records.append(replace(base, **same, points=points))
    return result(*records)


class Page(HTMLParser):
    """Checks that every element is closed where it should be; keeps texts, attributes and ids."""

    def __init__(self, text):
        super().__init__()
        self.stack, self.ids, self.attributes, self.tags, self.texts = [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_data(self, data):
        if self.stack and self.stack[-1] not in ("style", "script"):
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def page_text():
    return report.html(every_claim())


def printed(renderable, width=100, terminal=False):
    console = Console(width=width, force_terminal=terminal, color_system="standard" if terminal else None, record=False)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


# Sentences


def test_sentence_of_a_claim_that_holds_says_that_it_is_not_proved():
    assert sentence(record()) == (
        "Holds so far: attacked, not proved. None of 1,200 instances it applies to (random, extremal and attack) violates it; "
        "the closest reaches 0.982 of the bound. On random and trained networks the bound is typically 1,600 times the actual "
        "change."
    )


def test_sentence_does_not_claim_an_attack_that_was_not_made():
    origins = {"random": origin(1300, 100), "attack": origin()}
    assert sentence(record(origins=origins)).startswith("Holds so far: tried, not proved. None of 1,200")


def test_sentence_of_a_proved_claim_that_is_attained():
    text = sentence(record("proved", max_ratio=1 + 4e-16, median_looseness=0.0, undecided=3))
    assert text.startswith("Proved. None of 1,200")
    assert "the closest attains the bound, up to rounding." in text
    assert "the bound is typically 1 times the actual change" in text
    assert text.endswith("3 were too close to call in floating point, or out of its range.")


def test_sentence_of_a_refuted_claim_gives_the_worst_and_the_certified():
    text = sentence(refuted())
    assert text.startswith("Refuted. 542 of 1,200 instances it applies to")
    assert "the worst change is 1,000 times the bound, and 1 of them is certified in exact or ball arithmetic." in text
    assert "2 of them are certified" in sentence(refuted(certified=2))


def test_sentence_of_an_unconfirmed_claim_says_that_nothing_is_certified():
    text = sentence(record("unconfirmed", violations=2, max_ratio=1 + 2e-9))
    assert text.startswith("Unconfirmed. 2 of 1,200")
    assert "the worst change is 1 + 2e-9 times the bound, but only in floating point: not certified." in text


def test_sentence_without_applicable_instances_is_no_evidence():
    text = sentence(record("proved", inapplicable=1300, max_ratio=None, median_looseness=None))
    assert text == "Proved. No evidence from this run: none of 1,300 instances met its hypotheses (widths)."
    nothing = record(instances=0, inapplicable=0, inapplicable_why={})
    assert sentence(nothing).endswith("No evidence from this run: nothing was tried.")


def test_sentence_of_an_identity_speaks_of_rounding():
    text = sentence(record(kind="identity", max_ratio=0.0101))
    assert "both sides agree within the derived rounding bound; they differ by at most 0.0101 of it." in text
    assert "typically" not in text


def test_sentence_of_a_bound_that_is_typically_exceeded():
    assert "the actual change is typically 100 times the bound" in sentence(refuted(median_looseness=-2.0))


# Words


def test_ratios_out_of_range_come_from_their_logarithm():
    assert largest_ratio(record(max_ratio=math.exp(700), max_log_ratio=1000 * math.log(10))) == "1e1000"
    assert largest_ratio(record(max_ratio=0.0, max_log_ratio=-400 * math.log(10))) == "1e-400"
    assert largest_ratio(record(max_ratio=None, max_log_ratio=None)) == ""


def test_main_reason_adds_up_what_fails_for_the_same_hypothesis():
    assert main_reason({"widths: a": 5, "conditioning-w: x": 3, "conditioning: y": 3}) == "conditioning"
    assert main_reason({}) == ""


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


# Figures


def axes():
    return Figure().subplots()


def test_comparison_puts_bound_across_and_actual_up():
    ax = axes()
    plots.draw_comparison(ax, [["random", 1, -3.0, -1.0], ["trained", 1, 2.0, 4.0]], violated=False)
    drawn = {c.get_label(): c for c in ax.collections if c.get_label() in plots.ORIGINS}
    assert drawn["random"].get_offsets().tolist() == [[-1.0, -3.0]]
    assert drawn["trained"].get_offsets().tolist() == [[4.0, 2.0]]
    assert to_hex(drawn["random"].get_facecolor()[0]) == "#0072b2"
    (line,) = ax.lines
    assert line.get_xdata().tolist() == line.get_ydata().tolist() == list(ax.get_xlim()) == list(ax.get_ylim())
    assert ax.get_xlim()[0] < -3.0
    assert ax.get_xlim()[1] > 4.0
    assert (ax.get_xscale(), ax.get_xlabel(), ax.get_ylabel()) == ("linear", "bound", "actual change")


@pytest.mark.parametrize("violated", [True, False])
def test_violations_are_ringed_where_the_claim_has_any(violated):
    ax = axes()
    points = [["attack", 1, 2.0, 1.0], ["random", 1, 1.0 + 1e-9, 1.0], ["random", 1, 0.0, 1.0]]
    plots.draw_comparison(ax, points, violated)
    rings = [c for c in ax.collections if c.get_label() == "violation"]
    assert [r.get_offsets().tolist() for r in rings] == ([[[1.0, 2.0]]] if violated else [])


def test_huge_ranges_stay_readable():
    ax = axes()
    plots.draw_comparison(
        ax, [["random", 1, -300.0, -300.0], ["random", 1, 0.0, 1.0], ["random", 1, 2.0, 300.0]], False
    )
    ax.figure.canvas.draw()
    assert (ax.get_xscale(), ax.get_yscale()) == ("asinh", "asinh")
    labels = [t.get_text() for t in ax.get_xticklabels()]
    assert {"10⁻³⁰⁰", "10⁻¹⁰", "1", "10³", "10³⁰⁰"} <= set(labels)
    pixels = ax.transData.transform([(0.0, 0.0), (3.0, 0.0)])
    assert pixels[1, 0] - pixels[0, 0] > 10  # three decades around 1 are told apart among six hundred


def test_one_point_has_a_decade_around_it():
    ax = axes()
    plots.draw_comparison(ax, [["random", 1, 2.0, 2.0]], violated=False)
    assert ax.get_xlim() == pytest.approx((1.45, 2.55))


def test_looseness_draws_medians_and_quartiles():
    ax = axes()
    random, trained = [[4, 2.0, 5.0, 9.0], [1, 1.0, 2.0, 3.0]], [[2, 30.0, 31.0, 40.0]]
    plots.draw_looseness(ax, {"random": random, "trained": trained}, [*random, *trained, [16, -2.0, 200.0, 250.0]])
    lines = {line.get_label(): line for line in ax.lines}
    assert lines["random"].get_xdata().tolist() == [1, 4]
    assert lines["random"].get_ydata().tolist() == [2.0, 5.0]
    assert lines["trained"].get_ydata().tolist() == [31.0]
    assert ax.collections[0].get_paths()[0].vertices[:, 1].max() == 9.0
    assert ax.get_ylim()[0] < -2.0
    assert ax.get_ylim()[1] > 250.0
    assert ax.get_xlim()[1] > 16


def test_svg_ids_carry_the_name():
    text = plots.svg(plots.comparison_figure(record().points, False), "c7", 'a < "b"')
    page = Page(text)
    assert page.ids
    assert all(i.startswith("c7-") for i in page.ids)
    assert text.startswith('<svg role="img" aria-label="a &lt; &quot;b&quot;"')
    assert "xmlns" not in text
    assert "bound" in page.text
