"""Figure 1 of the paper: loss and gradient of trained perceptrons along their own gradient direction.

Networks are trained on MNIST digits. At ten checkpoints the full-batch gradient g is fixed and all weights are moved to
W_l − η·‖W_l‖_F/‖g_l‖_F·g_l, η = 0 … 0.1: the loss, and the relative change of one layer's gradient, are drawn against η,
with deep relative trust, (1+η)^L − 1; Lemma 2's η < 2^{1/L} − 1; and the best Euclidean law, cη.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from drt.errors import InputError, Parser, run_as_script
from drt.network.activations import parse_activation
from drt.numeric.pool import Progress, silent
from drt.training.data import load_digits
from drt.training.training import RATES, TrainingConfig
from figures import common
from figures.figure1_data import config, data
from figures.figure1_draw import data_files, draw
from figures.figure1_summary import caption, summarise

NETS = ((2, False), (3, False), (16, False), (16, True))  # depth, and whether hidden layers add to their input


def _parser() -> Parser:
    parser = common.parser("1", __doc__)
    parser.add_argument("--depth", help="layers, e.g. 2,16; default 2,3,16 and residual 16")
    parser.add_argument("--width", type=int, help="of the hidden layers (128; 784 as in the paper is slow)")
    parser.add_argument("--biases", action="store_true", help="with biases, perturbed too")
    parser.add_argument("--activation", help="φ of the hidden layers (leaky_relu:0.1)")
    parser.add_argument("--residual", action="store_true", help="hidden layers add to their input")
    parser.add_argument("--optimiser", default="fromage", choices=sorted(RATES), help="(fromage)")
    parser.add_argument("--lr", type=float, help="learning rate; 0.01 for fromage, 0.05 for sgd")
    parser.add_argument("--layer", type=int, default=1, help="whose gradient is watched (1)")
    parser.add_argument("--seeds", type=int, default=1, help="N seeds: medians and bands (1)")
    parser.add_argument("--epochs", type=int, default=10, help="of training, 10 at least (10)")
    parser.add_argument("--steps", type=int, help="steps an epoch (60)")
    parser.add_argument("--digits", type=int, default=1000, help="slices over so many digits, 0: all (1000)")
    parser.add_argument("--data", default="mnist5k", help="mnist5k, or a folder of MNIST IDX files (mnist5k)")
    parser.add_argument(
        "--paper", action="store_true", help="784-wide ReLU, biases, PyTorch's initialisation, 240 steps: 10 min"
    )
    return parser


def _configs(options: argparse.Namespace) -> list[TrainingConfig]:
    nets: Sequence[tuple[int, bool]] = NETS
    if options.depth is not None or options.residual:
        try:
            depths = [int(d) for d in (options.depth or "16").split(",")]
        except ValueError:
            raise InputError(f"--depth {options.depth} must be whole numbers, e.g. 2,16") from None
        nets = tuple((d, options.residual) for d in depths)
    least = 3 if options.residual else 1
    if min(d for d, _ in nets) < max(least, options.layer) or options.layer < 1:
        raise InputError(
            f"--depth {options.depth or '2,3,16'} with --layer {options.layer}: each must have at least {least} layer(s), "
            "and that layer"
        )
    if options.epochs < 10:
        raise InputError(f"--epochs {options.epochs} must be >= 10: there are checkpoints in ten of them")
    if options.steps is not None and options.steps < 20:
        raise InputError(f"--steps {options.steps} must be >= 20: five checkpoints are in the first epoch")
    chosen: dict[str, object] = {
        "width": (784 if options.paper else 128) if options.width is None else options.width,
        "activation": options.activation or ("relu" if options.paper else "leaky_relu:0.1"),
        "biases": options.biases or options.paper,
        "initialisation": "torch" if options.paper else None,
        "optimiser": options.optimiser,
        "lr": RATES[options.optimiser] if options.lr is None else options.lr,
        "epochs": options.epochs,
    }
    parse_activation(str(chosen["activation"]))
    few = options.paper and len(load_digits(options.data)) < 60_000
    made = []
    for depth, residual in nets:
        # Shallow and residual nets memorise 5,000 digits in epochs of 240 steps: loss 0, gradient 0, nothing to slice.
        memorises = few and (depth <= 3 or residual)
        steps = options.steps or (240 if options.paper and not memorises else 60)
        made.append(config(depth, residual, steps_per_epoch=steps, **chosen))
    return made


def main(arguments: list[str], progress: Progress | None = None) -> int:
    """Compute, draw, write; the caption on stdout."""
    options = _parser().parse_args(arguments)
    common.check_common(options)
    if options.seeds < 1 or options.digits < 0:
        raise InputError(f"--seeds {options.seeds} must be >= 1, --digits {options.digits} >= 0")
    seeds = range(options.seed, options.seed + options.seeds)
    configs = _configs(options)
    computed = data(
        configs, seeds, options.data, options.digits or None, options.layer, options.jobs, progress=progress or silent
    )
    if not any(run.slices for panel in computed.panels for run in panel.runs):
        raise InputError(f"--lr {configs[0].lr}: every run diverged before its first checkpoint")
    summary = summarise(computed)
    text = caption(computed, summary)
    files = common.save(options.out, "figure1", draw(computed, text), data_files(computed, summary, text))
    common.report(options, {"caption": text, **summary.as_dict()}, text, files)
    return 0


if __name__ == "__main__":
    run_as_script(main)
