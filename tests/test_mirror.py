"""Tests mirror the wings: every module has the test file of its name."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
UNTESTED = {
    "drt/falsify/template.py",  # the text of a script: test_script runs it
}


def modules():
    """Every module and the test file that it should have."""
    for package, tests in (("drt", ""), ("proofs_checks", "proofs_checks"), ("figures", "figures")):
        for module in sorted((ROOT / package).rglob("*.py")):
            inner = module.relative_to(ROOT / package)
            if module.name != "__init__.py":
                yield module.relative_to(ROOT).as_posix(), ROOT / "tests" / tests / inner.parent / f"test_{inner.name}"


def test_every_module_has_its_test_file():
    missing = {module for module, test in modules() if not test.exists()}
    assert missing <= UNTESTED, sorted(missing - UNTESTED)
    assert missing == UNTESTED, "no exception that is none any more"
