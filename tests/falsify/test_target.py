"""What is attacked: claims by their id, users' bounds by file and function, hypotheses added and dropped."""

import pickle

import pytest

import drt
from drt.errors import InputError
from drt.falsify.target import Target, load_claim
from proofs_checks.registry import find_chain

SOURCE = "import drt\n\n@drt.bound(hypotheses=())\ndef mine(m):\n    'What it says.'\n    return m.kappa\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "bounds.py"
    path.write_text(SOURCE)
    return path


def test_a_registered_claim_is_itself():
    target = load_claim("theorem1.function")
    assert target.claim == drt.claims["theorem1.function"]
    assert target.source is None


def test_a_users_bound_is_loaded_from_its_file_and_knows_it(file):
    target = load_claim(f"{file}:mine")
    assert (target.claim.id, target.claim.statement) == ("mine", "What it says.")
    assert target.source == {"file": str(file), "function": "mine"}


def test_a_target_is_sent_to_other_processes_by_name(file):
    target = Target(f"{file}:mine", ("+small",))
    again = pickle.loads(pickle.dumps(target))
    assert again == target
    assert again.claim.hypotheses == target.claim.hypotheses
    assert len(pickle.dumps(target)) < 1000


def test_hypotheses_are_added_and_dropped_one_after_the_other():
    target = load_claim("theorem1.function").with_changes(["-widths"]).with_changes(["+small"])
    assert target.changes == ("-widths", "+small")
    assert "widths" not in target.claim.hypotheses
    assert "small" in target.claim.hypotheses
    with pytest.raises(InputError, match=r"theorem1\.function has no such hypothesis"):
        load_claim("theorem1.function").with_changes(["-relu"])


def test_a_step_of_a_proof_is_found_by_the_module_that_knows_it():
    target = load_claim("theorem1.function#3", "proofs_checks.registry")
    assert target.claim.id == "theorem1.function#3"
    assert find_chain("theorem1.function").steps[2].statement in target.claim.statement
    with pytest.raises(InputError, match=r"claim 'theorem1\.function#3' is not known"):
        load_claim("theorem1.function#3")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("theorem9", "claim 'theorem9' is not known"),
        ("bounds.py", "must name a function of the file: bounds.py:FUNCTION"),
        ("missing.py:mine", "'missing.py' is not a file"),
    ],
)
def test_what_is_not_there_is_named(name, words):
    with pytest.raises(InputError, match=words):
        load_claim(name)


def test_a_file_of_another_kind_is_named(tmp_path):
    (tmp_path / "bounds.txt").write_text(SOURCE)
    with pytest.raises(InputError, match=r"must be a Python file, \*\.py"):
        load_claim(f"{tmp_path / 'bounds.txt'}:mine")


def test_a_function_that_is_none_is_named_with_those_that_are(file):
    with pytest.raises(InputError, match="'yours' is not in the file; bounds in it: mine"):
        load_claim(f"{file}:yours")


def test_a_file_may_import_its_neighbours(file):
    (file.parent / "neighbour_of_bounds.py").write_text("FACTOR = 3\n")
    text = SOURCE.replace("import drt", "import drt\nfrom neighbour_of_bounds import FACTOR")
    file.write_text(text.replace("m.kappa", "FACTOR * m.kappa"))
    assert load_claim(f"{file}:mine").claim.id == "mine"
