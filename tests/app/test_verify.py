"""The main job from end to end."""

import pytest

import drt
from drt.app.verify import verify


@pytest.mark.slow
def test_quick_run_end_to_end(tmp_path):
    """Everything once: schema of the report, verdicts as the theory has them, witnesses on disk."""
    result = verify(seed=3, quick=True, folder=tmp_path)
    assert {"schema", "version", "seed", "seconds", "claims"} <= set(result.as_dict())
    by_id = {entry.id: entry for entry in result.claims}
    assert set(by_id) == set(drt.claims)
    for claim_id, claim in drt.claims.items():
        entry = by_id[claim_id]
        assert entry.status == ("refuted" if claim.known == "false" else entry.status)
        assert entry.status in ("holds", "proved", "refuted")
        if claim.known == "false":
            assert entry.certified == 1
            assert (tmp_path / entry.witness).is_file()
    assert len(result.networks) == 5
