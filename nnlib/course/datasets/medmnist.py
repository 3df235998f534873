"""Real pictures of tissue, small and labelled: PathMNIST, which is downloaded only when you ask for it."""

from dataclasses import dataclass
from math import prod
from urllib.parse import urlsplit

import numpy as np
from numpy.lib import format as npy

from ...checks import one_of
from . import download
from .download import DataError

SPLITS = ("train", "val", "test")
NAMES = (
    "adipose",
    "background",
    "debris",
    "lymphocytes",
    "mucus",
    "smooth muscle",
    "normal colon mucosa",
    "cancer-associated stroma",
    "colorectal adenocarcinoma epithelium",
)
SIDE = 28  # pixels


@dataclass(frozen=True)
class PathMNIST:
    """What :func:`load_pathmnist` read: one of the three sets.

    Attributes
    ----------
    X : ndarray of float32, (n, 28, 28, 3)
        Red, green and blue, from 0 to 1.
    y : ndarray, (n, 9) of float64 or (n, 1) of int64
        The class, as nine zeros and ones or as its number.
    names : tuple of str
        Of the nine classes, in the order of their numbers.
    file : str
        What was read.
    """

    X: np.ndarray
    y: np.ndarray
    names: tuple[str, ...]
    file: str


def load_pathmnist(split, *, fetch=False, one_hot=True, path=None):
    """107,180 pictures of 28 × 28 pixels of tissue from colorectal cancer, each of one of nine classes.

    PathMNIST of MedMNIST v2: slides stained with haematoxylin and eosin, as :func:`tissue` draws them, but real ones.
    Training and validation pictures come from the same patients, the test pictures from those of another clinic.
    **Not for clinical use**, as its publishers say; and pixels of 4 µm hide what a pathologist looks for.

    The file of 206 MB is looked for as ``pathmnist.npz``

    1. in the folder named by the environment variable ``NNLIB_DATA_DIR``, if it holds one;
    2. in the cache of earlier downloads (``pooch.os_cache("nnlib")``);
    3. with ``fetch=True`` at its public address (``registry.json`` beside this file), and kept in the cache.

    Every copy must match the published checksum each time that it is read, and nothing is changed or left out.

    Parameters
    ----------
    split : {"train", "val", "test"}
        89,996, 10,004 or 7,180 pictures. Those to train on take 0.85 GB of memory as numbers, and 1.1 GB on the way.
    fetch : bool
        Download the file if it is not on this machine; it takes minutes.
    one_hot : bool
        Return y as rows of nine zeros and ones instead of one class number.
    path : str or path-like, optional
        Read this copy of the file and look nowhere else.

    Returns
    -------
    PathMNIST

    Raises
    ------
    DataError
        The file is not the published one; it is named, with what is wrong with it.
    FileNotFoundError
        The file is not on this machine and was not to be fetched, or could not be; or `path` names nothing.
    ValueError
        `split` is none of the three, or `path` no name.

    References
    ----------
    Yang, J. et al. (2023). MedMNIST v2 - A large-scale lightweight benchmark for 2D and 3D biomedical image
    classification. Scientific Data 10, 41. CC BY 4.0. Its pictures are those of Kather, J. N. et al. (2019).
    Predicting survival from colorectal cancer histology slides using deep learning. PLOS Medicine 16(1), e1002730.
    """
    split = one_of("split", split, dict(zip(SPLITS, SPLITS, strict=True)))
    entry = download.registry()["pathmnist"]
    if path is not None:
        path = download.existing(path)
    else:
        size = f"{entry['bytes'] / 1e6:.0f} MB"
        path, problem = download.find(entry, optional=True, fetch=False)
        if problem is not None and fetch:
            print(f"{entry['file']}: {size} are fetched from {urlsplit(entry['address']).hostname}, once.")
            path, problem = download.find(entry, optional=True)
        if problem is not None:
            how = "" if fetch else f"; load_pathmnist({split!r}, fetch=True) fetches {size}, once"
            raise FileNotFoundError(f"{entry['file']} is not in {path.parent}: {problem}{how}")
    _is_published(path, entry)
    images, labels = _arrays(path, split, entry["rows"][split])
    X = np.divide(images, np.float32(255), dtype=np.float32)
    labels = labels.astype(np.int64)
    return PathMNIST(X, np.eye(len(NAMES))[labels[:, 0]] if one_hot else labels, NAMES, str(path))


def _is_published(path, entry):
    """Refuse a file that is shorter, longer or other than the published one."""
    count = path.stat().st_size
    if count != entry["bytes"]:
        why = "; is it cut off?" if count < entry["bytes"] else ""
        raise DataError(f"{path} is not the published file: it must have {entry['bytes']:,} bytes; got {count:,}{why}")
    found = download.md5(path)
    if found != entry["md5"]:
        raise DataError(
            f"{path} is not the published file: md5 must be {entry['md5']}; got {found}. "
            f"Delete it, and fetch=True fetches it again."
        )


def _arrays(path, split, rows):
    """Return pictures and class numbers of one set as they are stored; shapes are checked before memory is taken."""
    wanted = {f"{split}_images": (rows, SIDE, SIDE, 3), f"{split}_labels": (rows, 1)}
    try:
        with open(path, "rb") as file:
            if file.read(2) != b"PK":  # NumPy would take memory for a lone array as its header asks
                raise DataError(f"{path} must be an archive of arrays (.npz)")
            file.seek(0)
            archive = np.load(file, allow_pickle=False)
            found = []
            for name, shape in wanted.items():
                if name not in archive.files:
                    raise DataError(f"{path} must hold {name}; it holds {', '.join(archive.files) or 'nothing'}")
                _check_header(path, name, archive.zip, shape)
                found.append(archive[name])
    except DataError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy raise a dozen kinds where bytes are damaged
        raise DataError(f"{path} cannot be read: {error or type(error).__name__}") from error
    images, labels = found
    if not ((labels >= 0) & (labels < len(NAMES))).all():
        raise DataError(
            f"{path}: {split}_labels must be class numbers from 0 to {len(NAMES) - 1}; "
            f"got {labels.min()} to {labels.max()}"
        )
    return images, labels


def _check_header(path, name, archive, shape):
    """Refuse an array of another shape or kind by what its header says, of which NumPy would take the memory."""
    with archive.open(f"{name}.npy") as member:
        version = npy.read_magic(member)
        if version != (1, 0):
            raise DataError(f"{path}: {name} must be stored in version 1.0 of NumPy's format; got {version}")
        got, _, dtype = npy.read_array_header_1_0(member)
        begin = member.tell()
    pictures = name.endswith("images")
    if got != shape or not (dtype == np.uint8 if pictures else dtype.kind in "iu"):
        kind = "whole numbers from 0 to 255 (uint8)" if pictures else "whole numbers"
        raise DataError(f"{path}: {name} must be {kind} of shape {shape}; got {dtype} of shape {got}")
    given, count = archive.getinfo(f"{name}.npy").file_size - begin, prod(shape) * dtype.itemsize
    if given != count:
        raise DataError(f"{path}: {name} must hold {count:,} bytes; got {given:,}")
