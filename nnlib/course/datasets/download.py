"""Tables and pictures that others publish: looked for on this machine, else downloaded once, and always verified.

`registry.json` beside this file holds address, checksum, licence and citation of each.
"""

import hashlib
import json
import math
import os
import threading
import time
from os import PathLike
from pathlib import Path
from urllib.parse import urlsplit

SECONDS = 10  # a class with no network waits this long once, and never longer
SLOWEST = 50_000  # bytes/s: what is large may take longer than that, as long as something comes
_failed = {}  # address -> reason: one process asks a dead network once
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# how files begin that are often saved under the name of a table and are none
OTHER_FILES = {
    b"\x1f\x8b": "a file compressed by gzip; unpack it first",
    b"PK\x03\x04": "a zip archive or a spreadsheet; unpack it, or save the sheet as CSV",
    b"\xff\xfe": "text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "text in UTF-16; save it as UTF-8",
    b"<": "a web page (HTML); follow its link to the raw file, and save that",
}


class DataError(ValueError):
    """A table that cannot be trusted; the message names the file, the line and the column."""


def registry():
    """Return what is known of everything that is published, by name."""
    return json.loads(Path(__file__).with_name("registry.json").read_text(encoding="utf-8"))


def find(entry, *, optional=False, fetch=True):
    """Return the path of a registered file, downloaded if need be, and None or in a few words why it is not there.

    With `optional`, ``NNLIB_DATA_DIR`` may name a folder without it, and the cache is searched as well; without
    `fetch` nothing is downloaded.

    Raises
    ------
    FileNotFoundError
        ``NNLIB_DATA_DIR`` is set, and names no folder or one without this file, unless that is optional.
    """
    given = _in_data_dir(entry["file"], optional)
    if given is not None:
        return given, None
    path = cache_dir() / entry["file"]
    if path.is_file():
        return path, None
    return path, _fetch(entry, path.parent) if fetch else "it has not been downloaded"


def existing(path):
    """Return the path of a file that a reader has named.

    Raises
    ------
    ValueError
        It is no name.
    FileNotFoundError
        It names nothing, or a folder.
    """
    if not isinstance(path, str | PathLike):
        raise ValueError(f"path must be the name of a file; got {path!r}")
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"path must name an existing file; got {str(path)!r}")
    return path


def sha256(content):
    """Return the checksum of some bytes as the registry writes it."""
    return hashlib.sha256(content).hexdigest()


def md5(path):
    """Return the MD5 checksum of a file, read in parts: where its publisher gives no other."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def problems_of(path, kind, problems):
    """Return the error that lists what is wrong with which line of a table, the first ten."""
    shown = "".join(f"\n  {problem}" for problem in problems[:10])
    more = f"\n  ... and {len(problems) - 10} more" if len(problems) > 10 else ""
    return DataError(f"{path} is not a valid {kind} (line 1 is the header):{shown}{more}")


def cache_dir():
    """Return the folder in which downloads are kept."""
    import pooch

    return pooch.os_cache("nnlib")


def _in_data_dir(file, optional):
    name = os.environ.get("NNLIB_DATA_DIR", "")
    if not name:
        return None
    # A notebook runs in its own folder, so a relative name may be meant from one of the folders around it.
    here = Path.cwd()
    folder = next((around / name for around in (here, *here.parents) if (around / name).is_dir()), None)
    if folder is None:
        raise FileNotFoundError(f"NNLIB_DATA_DIR must name an existing folder; got {name!r}")
    if not (folder / file).is_file():
        if optional:
            return None
        raise FileNotFoundError(
            f"NNLIB_DATA_DIR must name a folder that holds {file}; got {name!r}, and it is not in {folder.resolve()}"
        )
    return folder / file


class _Arrived:
    """What pooch tells of a download: as it would tell a progress bar."""

    def __init__(self):
        self.total = self.count = 0

    def update(self, count):
        self.count += count

    def reset(self):
        self.count = 0

    def close(self):
        pass


def _fetch(entry, folder):
    """Fetch one registered file into `folder`; return None, or in a few words why it could not be."""
    import pooch

    address = entry["address"]
    if address in _failed:
        return _failed[address]
    outcome, arrived = [], _Arrived()
    kind = "sha256" if "sha256" in entry else "md5"

    def fetch():
        try:
            pooch.get_logger().setLevel("WARNING")
            pooch.retrieve(  # to a temporary name in `folder`, renamed once the checksum is right
                address,
                known_hash=f"{kind}:{entry[kind]}",
                fname=entry["file"],
                path=folder,
                downloader=pooch.HTTPDownloader(timeout=SECONDS / 2, progressbar=arrived),
            )
            outcome.append(None)
        except Exception as error:
            outcome.append(error)

    # In a thread, because looking up a name has no timeout of its own.
    thread = threading.Thread(target=fetch, daemon=True)
    end = time.monotonic() + max(SECONDS, entry["bytes"] / SLOWEST)
    thread.start()
    before = -1
    while thread.is_alive() and arrived.count > before and time.monotonic() < end:
        before = arrived.count
        thread.join(SECONDS)
    error = outcome[0] if outcome else TimeoutError()
    if error is None:
        return None
    if isinstance(error, ValueError) and "hash" in str(error):
        raise DataError(f"{address} no longer holds the published file: {error}") from error
    host = urlsplit(address).hostname
    _failed[address] = f"it could not be downloaded from {host} ({type(error).__name__})"
    return _failed[address]


def text_of(content, columns):
    """Return the text of a table with these columns, and a list of what is wrong with the file if it holds none."""
    start = content.removeprefix(BYTE_ORDER_MARK).lstrip()
    for beginning, kind in OTHER_FILES.items():
        if start.startswith(beginning):
            return "", [f"line 1: must hold the header {','.join(columns)}; the file is {kind}"]
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return "", [f"line {line}: the file must be UTF-8 text; got byte 0x{content[error.start]:02x}"]


def number_problem(text, whole, low, high, unit):
    """Say what is allowed and what came, or None if the text is a number, a whole one if need be, within bounds."""
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = math.nan
    if low <= value <= high and text.isascii() and "_" not in text:
        return None
    return f"must be a {'whole ' * whole}number from {low:,} to {high:,} ({unit}); got {short(text)}"


def short(text):
    """Return the text in quotation marks, and of a text that is long only the beginning."""
    return repr(text if len(text) <= 60 else text[:60] + "…")
