"""What figures' commands share: options checked before the work, tables, files whole or not at all."""

import argparse
import json

import pytest
from matplotlib.figure import Figure

from drt.errors import InputError
from figures import common


def parsed(*arguments):
    return common.parser("x", "what it draws").parse_args(list(arguments))


def test_every_figure_has_the_same_options():
    options = parsed()
    assert (options.seed, options.jobs, str(options.out), options.json) == (0, None, "results", False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seed", "-1"], "--seed -1 must be a whole number from 0"),
        (["--jobs", "0"], "--jobs 0 must be > 0"),
        (["--out", "/dev/null"], "--out '/dev/null' must be a folder"),
    ],
)
def test_bad_options_are_named_before_the_work(arguments, words):
    with pytest.raises(InputError, match=words):
        common.check_common(parsed(*arguments))


def test_the_folder_is_made(tmp_path):
    common.check_common(parsed("--out", str(tmp_path / "new" / "folder")))
    assert (tmp_path / "new" / "folder").is_dir()


def test_tables_have_seven_digits_and_nan_is_empty():
    content = common.csv_file(("name", "value"), [("a, b", 1 / 3), ("c", float("nan")), ("d", 7)]).decode()
    assert content == 'name,value\n"a, b",0.3333333\nc,\nd,7\n'


def figure():
    made = Figure(figsize=(2, 1))
    made.subplots().plot([0, 1])
    return made


def test_all_files_are_written_and_the_same_again(tmp_path):
    """No clock in them: a second run writes the same bytes."""
    paths = common.save(tmp_path, "x", figure(), {"x.csv": b"a"})
    assert [p.name for p in paths] == ["x.pdf", "x.png", "x.csv"]
    before = [p.read_bytes() for p in paths]
    assert before[0].startswith(b"%PDF")
    assert before[1].startswith(b"\x89PNG")
    common.save(tmp_path, "x", figure(), {"x.csv": b"a"})
    assert [p.read_bytes() for p in paths] == before


def test_a_figure_that_cannot_be_drawn_leaves_no_file(tmp_path):
    class Broken(Figure):
        def savefig(self, *arguments, **options):
            raise RuntimeError("planted")

    with pytest.raises(RuntimeError, match="planted"):
        common.save(tmp_path, "x", Broken(), {"x.csv": b"a"})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_is_named(tmp_path):
    with pytest.raises(InputError, match="must be a folder that can be written"):
        common.save(tmp_path / "gone", "x", figure(), {})


def test_the_report_is_text_or_one_json_object_without_nan(capsys, tmp_path):
    numbers = {"a": float("nan"), "b": [1.5, float("inf")]}
    common.report(argparse.Namespace(json=True), numbers, "text", [tmp_path / "x.csv"])
    out, err = capsys.readouterr()
    assert json.loads(out) == {"a": None, "b": [1.5, None]}
    assert err == f"wrote {tmp_path / 'x.csv'}\n"
    common.report(argparse.Namespace(json=False), numbers, "text", [])
    assert capsys.readouterr()[0] == "text\n"
