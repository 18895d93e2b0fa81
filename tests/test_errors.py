"""How a command ends: the exit code of what it found, and bad input as one line."""

import pytest

from drt.errors import Exit, InputError, Parser, check_positive, check_seed, complain, run_as_script


def raises(error):
    def main(arguments):
        raise error

    return main


@pytest.mark.parametrize(
    ("main", "code", "said"),
    [
        (lambda arguments: Exit.UNCONFIRMED, 3, ""),
        (lambda arguments: len(arguments), 2, ""),
        (raises(InputError("x=1\nmust be > 2")), 2, "drt: x=1 must be > 2\n"),
        (raises(KeyboardInterrupt), 130, "drt: interrupted\n"),
    ],
    ids=["a code", "its arguments", "bad input", "an interrupt"],
)
def test_a_script_ends_with_the_code_of_its_main(main, code, said, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["script", "--a", "b"])
    with pytest.raises(SystemExit) as stop:
        run_as_script(main)
    assert stop.value.code == code
    assert capsys.readouterr() == ("", said)


def test_a_fault_of_ours_is_not_called_bad_input():
    with pytest.raises(ZeroDivisionError):
        run_as_script(raises(ZeroDivisionError()))


def test_exit_codes_are_those_of_the_documentation():
    assert {code.name: code.value for code in Exit} == {
        "HELD": 0, "VIOLATED": 1, "BAD_INPUT": 2, "UNCONFIRMED": 3, "INTERRUPTED": 130,
    }  # fmt: skip
    assert complain("once") is Exit.BAD_INPUT


def test_a_parser_complains_of_options_as_of_any_bad_input():
    parser = Parser("drt x", "About x.")
    parser.add_argument("--n", type=int)
    assert parser.parse_args(["--n", "3"]).n == 3
    with pytest.raises(InputError, match="argument --n: invalid int value: 'three'"):
        parser.parse_args(["--n", "three"])
    with pytest.raises(InputError, match="unrecognized arguments: --m"):
        parser.parse_args(["--m"])


@pytest.mark.parametrize("value", [0, -1.5, float("inf"), float("nan")])
def test_what_is_not_positive_is_named(value):
    with pytest.raises(InputError, match=f"--budget {value:g} must be > 0"):
        check_positive("budget", value)


def test_what_is_positive_or_not_given_passes():
    check_positive("budget", 1e-300)
    check_positive("jobs", None)
    check_seed(0)
    check_seed(2**63 - 1)


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_that_no_generator_takes_is_named(seed):
    with pytest.raises(InputError, match=f"--seed {seed} must be a whole number from 0 to 2"):
        check_seed(seed)
