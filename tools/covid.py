"""Make the small table of the epidemic from the file that Our World in Data published, and say whether it is the same.

    python -m tools.covid [owid-covid-latest.csv]

Without a file it reads the original from its address at one commit. It keeps the rows of countries that have reported
cases (no continents, no world, no ships) and the columns that `load_covid` describes; numbers stay as they are
written, but for the ".0" behind numbers of persons. The table in the library is replaced only if it is not there.
"""

import csv
import io
import sys
import urllib.request
from pathlib import Path

from nnlib.course.datasets import covid, download

KEPT = {  # column of the table: column of the original
    "code": "iso_code",
    "country": "location",
    "continent": "continent",
    "population": "population",
    "density": "population_density",
    "age": "median_age",
    "over_65": "aged_65_older",
    "beds": "hospital_beds_per_thousand",
    "gdp": "gdp_per_capita",
    "cases": "total_cases",
    "deaths": "total_deaths",
    "cases_per_million": "total_cases_per_million",
    "deaths_per_million": "total_deaths_per_million",
}
TABLE = Path(covid.__file__).with_name("covid.csv")
PERSONS = ("population", "cases", "deaths")


def extract(original):
    """Return the bytes of the small table, made from the bytes of the original."""
    made = io.StringIO()
    writer = csv.DictWriter(made, covid.COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in csv.DictReader(io.StringIO(original.decode("utf-8"))):
        if row["continent"] and row["total_cases"]:
            kept = {name: row[column] for name, column in KEPT.items()}
            writer.writerow(kept | {name: kept[name].removesuffix(".0") for name in PERSONS})
    return made.getvalue().encode()


def main(arguments, target=TABLE):
    """Make the table, compare it with the registry's checksum, and write it where there is none."""
    entry = download.registry()["covid"]
    if arguments:
        original = Path(arguments[0]).read_bytes()
    else:
        with urllib.request.urlopen(entry["original"], timeout=60) as answer:
            original = answer.read()
    made = extract(original)
    print(f"original: {len(original):,} bytes, sha256 {download.sha256(original)}")
    print(f"table: {len(made):,} bytes, sha256 {download.sha256(made)}")
    if download.sha256(made) != entry["sha256"]:
        there = target.read_bytes().replace(b"\r\n", b"\n").decode().splitlines() if target.is_file() else []
        other = [line for line in made.decode().splitlines() if line not in there]
        print("it is NOT the table of the library; lines that are not in it:", *other[:20], sep="\n  ")
        return 1
    if not target.is_file():
        target.write_bytes(made)
    print("it is the table of the library, byte for byte")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
