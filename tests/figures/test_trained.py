"""What figures about trained networks share: options, what an interrupt leaves, and what is missing in words."""

from dataclasses import dataclass, field

import pytest
from matplotlib.figure import Figure

from drt.errors import InputError
from drt.experiments.audit import CheckpointRecord
from figures import trained


def options(*arguments):
    return trained.parser("audit", "", "fromage", 2).parse_args(["--steps", "32", "--width", "8", *arguments])


def record(depth=2, kind="plain", step=1, status="measured", seed=0):
    return CheckpointRecord(depth, kind, "sgd", seed, step, status)


def test_networks_are_every_depth_kind_and_seed_with_their_checkpoints(tmp_path):
    """Two layers have no skip connection: 2 + 2 plain and 2 residual networks."""
    chosen = options("--depth", "2,4", "--network", "plain,residual", "--out", str(tmp_path))
    nets = trained.networks(chosen, start=False)
    assert [(kind, len(c.hidden) + 1, c.seed) for kind, c in nets] == [
        (kind, depth, seed) for depth, kind in ((2, "plain"), (4, "plain"), (4, "residual")) for seed in (0, 1)
    ]  # fmt: skip
    assert {c.checkpoints for _, c in nets} == {(2, 8, 32)}
    assert {c.checkpoints for _, c in trained.networks(chosen, start=True)} == {(0, 2, 8, 32)}
    assert trained.expected(nets) == 18


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--depth", "two"], "--depth two must be whole numbers"),
        (["--steps", "15"], "--steps 15 >= 16"),
        (["--depth", "2", "--network", "residual"], "two layers have no skip connection"),
    ],
)
def test_bad_options_are_named(arguments, words, tmp_path):
    with pytest.raises(InputError, match=words):
        trained.networks(options(*arguments, "--out", str(tmp_path)), start=False)


def test_an_interrupt_before_the_first_result_is_one():
    def interrupted(results):
        yield from results
        raise KeyboardInterrupt

    assert trained.collect(interrupted([1, 2])) == ([1, 2], True)
    assert trained.collect([1, 2]) == ([1, 2], False)
    with pytest.raises(KeyboardInterrupt):
        trained.collect(interrupted([]))


def test_what_was_gathered_is_in_order_and_nothing_at_all_is_an_error():
    results = [(record(4), "d"), (record(2, "residual"), "c"), (record(2, step=9), "b"), (record(2), "a")]
    assert [found for _, found in trained.gathered(results)] == ["a", "b", "c", "d"]
    with pytest.raises(InputError, match="nothing was measured at 2 checkpoints: diverged"):
        trained.gathered([(record(status="diverged"), None)] * 2)


@dataclass
class Counts:
    expected: int
    measured: int
    missing: dict[str, int] = field(default_factory=dict)


def test_what_is_missing_is_said_with_its_reason():
    assert trained.missing(Counts(5, 5), "No slice") == []
    assert trained.missing(Counts(5, 2, {"diverged": 2}), "No slice") == [
        "No slice at 2 checkpoints: diverged.",
        "Interrupted: 1 of 5 checkpoints are missing.",
    ]


def test_what_was_trained_is_one_sentence(tmp_path):
    chosen = options("--depth", "2", "--network", "plain", "--optimiser", "fromage,adam", "--out", str(tmp_path))
    said = trained.described(trained.networks(chosen, start=False), chosen)
    assert said == (
        "8 wide, leaky_relu:0.1, no biases, trained on 5,000 MNIST digits by Fromage, Adam; 2 seeds; after 2, 8 and 32 steps"
    )


def test_the_axis_of_depths_is_logarithmic_with_their_numbers():
    ax = Figure().subplots()
    trained.against_depth(ax, [16, 2, 2, 4])
    ax.set_xlim(1, 32)
    ax.figure.canvas.draw()
    assert (ax.get_xscale(), ax.get_xlabel()) == ("log", "layers L")
    assert [t.get_text() for t in ax.get_xticklabels()] == ["2", "4", "16"]
