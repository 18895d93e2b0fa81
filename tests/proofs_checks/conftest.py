"""The Coq proofs, compiled once for all tests and all processes of a run."""

import shutil

import pytest
from filelock import FileLock

from proofs_checks.formal import COQ, compiled, coqc


@pytest.fixture(scope="session")
def compiled_proofs(tmp_path_factory):
    """(path of coqc, a compiled copy of the proofs)."""
    path, _, missing = coqc()
    if path is None:
        pytest.skip(missing)
    shared = tmp_path_factory.getbasetemp().parent / "compiled-proofs"
    with FileLock(f"{shared}.lock"):
        if not shared.is_dir():
            with compiled(COQ, path) as (copy, error):
                assert not error, error
                shutil.copytree(copy, shared)
    return path, shared
