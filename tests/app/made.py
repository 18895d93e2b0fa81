"""Records of claims by hand, and a reader of pages, for tests of the report."""

import math
from dataclasses import replace
from html.parser import HTMLParser

from rich.console import Console

from drt.app.records import ClaimRecord, OriginRecord, Report
from drt.app.tasks import TrainedNetwork
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


def printed(renderable, width=100, terminal=False):
    console = Console(width=width, force_terminal=terminal, color_system="standard" if terminal else None, record=False)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()
