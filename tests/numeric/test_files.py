"""Files are the old ones or the whole new ones, and nothing else is left behind."""

import os
import stat
from pathlib import Path

import pytest

from drt.errors import InputError
from drt.numeric import files
from drt.numeric.files import writable_folder, write_atomically


def test_a_file_is_written_and_replaced_whole(tmp_path):
    path = tmp_path / "x"
    write_atomically(path, b"first, and longer")
    write_atomically(path, b"second")
    assert path.read_bytes() == b"second"
    assert os.listdir(tmp_path) == ["x"]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_whatever_happens_before_the_last_moment_the_old_file_stays(tmp_path, monkeypatch, failing, error):
    path = tmp_path / "x"
    write_atomically(path, b"old")

    def fails(*_):
        raise error

    monkeypatch.setattr(files.os, failing, fails)
    with pytest.raises(type(error)):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["x"]


def test_nobody_sees_half_a_file(tmp_path, monkeypatch):
    """At the moment of replacement the other name holds all of it."""
    path, seen = tmp_path / "x", []
    replace = os.replace

    def watched(source, target):
        source = Path(source)
        seen.append((source.parent == tmp_path, source.read_bytes(), path.exists()))
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", watched)
    write_atomically(path, b"x" * 2**20)
    assert seen == [(True, b"x" * 2**20, False)]


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        write_atomically(tmp_path / "none" / "x", b"")


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_permissions_are_those_of_new_files(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        write_atomically(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == mode


def test_the_data_are_on_the_disk_before_the_name_and_the_folder_after_it(tmp_path, monkeypatch):
    events = []
    replace, sync = os.replace, os.fsync

    def synced(descriptor):
        events.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def replaced(source, target):
        events.append("name")
        replace(source, target)

    monkeypatch.setattr(files.os, "fsync", synced)
    monkeypatch.setattr(files.os, "replace", replaced)
    write_atomically(tmp_path / "a", b"data")
    assert events == ["file", "name", "folder"]


def test_a_folder_is_made_before_the_work(tmp_path):
    assert writable_folder(tmp_path / "a" / "b").is_dir()
    assert writable_folder(tmp_path / "a") == tmp_path / "a"


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"--out '.*file/x' must be a folder that can be written: Not a directory"):
        writable_folder(tmp_path / "file" / "x")


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(files.os, "access", lambda path, mode: mode != os.W_OK)  # root may write everywhere
    with pytest.raises(InputError, match=r"must be a folder that can be written: Permission denied"):
        writable_folder(tmp_path)
