"""Tables on disk: written whole or not at all, sealed by a checksum, checked when read."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from study.utils.seal import SEAL

Tables = Mapping[str, pd.DataFrame]
"""The tables of a study, by name."""

PROVENANCE = b"provenance"
REMEDY = "Delete it and run the study again: it will be made anew."
TABLES = ("runs", "epochs", "steps", "tensors", "weights")
KEYS = ("study", "regime", "clip", "regularization", "seed")  # tell rows of every table apart


class TableError(ValueError):
    """A table file that cannot be used; says which, why, and what to do."""


def refused(error: OSError) -> str:
    """Return what the system refused as a sentence, or the sentence that an error of ours already is."""
    if error.errno is None:
        return str(error)
    must = f"The path '{error.filename}' must be one that can be read and written."
    return f"{must} Got '{error.strerror}' instead."


def atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary neighbour, then put it in place in one move; an OSError names the file."""
    try:
        _moved(path, write)
    except OSError as error:
        if error.errno is None:  # a time limit that ran out here, no fault of the disk
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error


def _moved(path: Path, write: Callable[[Path], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    os.close(handle)
    try:
        write(Path(name))
        with open(name, "rb+") as file:
            os.fsync(file.fileno())  # so that a power cut leaves the old file or the new one, not an empty one
        os.chmod(name, 0o644)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def write(table: pd.DataFrame, path: Path | str, provenance: str = "") -> None:
    """Write a table as sealed parquet (keys as dictionaries) or, by its suffix, as csv.

    `provenance` goes into the parquet's metadata: where the rows come from, as text.
    """
    path = Path(path)
    if path.suffix == ".csv":
        atomically(path, lambda file: table.to_csv(file, index=False, lineterminator="\n"))
    else:
        compact = table.astype(dict.fromkeys(_texts(table), "category"))
        arrow = pa.Table.from_pandas(compact, preserve_index=False)
        arrow = arrow.replace_schema_metadata({**arrow.schema.metadata, PROVENANCE: provenance})
        _sealed(path, lambda file: pq.write_table(arrow, file, compression="zstd"))


def write_all(tables: Mapping[str, pd.DataFrame], paths: Mapping[str, Path | str], provenance: str = "") -> None:
    """Write several tables, each to the path of its name."""
    for name, table in tables.items():
        write(table, paths[name], provenance)


def _sealed(path: Path, write: Callable[[Path], object]) -> None:
    def fill(file: Path) -> None:
        write(file)
        seal(file)

    atomically(path, fill)


def seal(file: Path) -> None:
    """Put the SHA-256 of a parquet file before its footer, where readers look for nothing.

    Parquet's own checksums are of pages: they leave the footer out, and a damaged footer is read as garbage or ends
    the process.
    """
    with file.open("rb+") as opened:
        digest = hashlib.file_digest(opened, "sha256").digest()
        opened.seek(-8, os.SEEK_END)
        footer = 8 + int.from_bytes(opened.read(4), "little")
        opened.seek(-footer, os.SEEK_END)
        tail = opened.read()
        opened.seek(-footer, os.SEEK_END)
        opened.write(digest + tail)


def _unsealed(path: Path) -> bytes:
    """The bytes of a parquet file, once its seal is found whole; nothing of it is parsed before."""
    content = path.read_bytes()
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    seal, whole = content[start - SEAL : start], content[: start - SEAL] + content[start:]
    if start < SEAL or hashlib.sha256(whole).digest() != seal:
        raise TableError(f"The table '{path}' must be as it was written. Got another checksum instead. {REMEDY}")
    return whole


def _texts(table: pd.DataFrame) -> list[str]:
    return [key for key in (*KEYS[:-1], "tensor") if key in table]


def read(path: Path | str) -> pd.DataFrame:
    """Read a table written by `write`; raises `TableError` where it is damaged or is none of a study."""
    path = Path(path)
    table = _csv(path) if path.suffix == ".csv" else _parquet(path).to_pandas(use_threads=False)
    if "study" not in table:
        raise TableError(f"The table '{path}' must have the column 'study'. Got {list(table)} instead. {REMEDY}")
    texts = {key: "str" for key in _texts(table) if table[key].dtype == "category"}
    return table.astype(texts)


def _csv(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, keep_default_na=False, na_values=[""], float_precision="round_trip")
    except OSError as error:
        raise TableError(_unreadable(path, error)) from error
    except ValueError as error:  # of pandas, or no UTF-8
        raise TableError(f"The table '{path}' must be a csv file. Got one with {error} instead. {REMEDY}") from error


def _parquet(path: Path) -> pa.Table:
    try:
        # By one thread: jobs share the cores, and now and then a short process with others alive aborts at its end.
        return pq.read_table(pa.BufferReader(_unsealed(path)), use_threads=False)
    except OSError as error:
        raise TableError(_unreadable(path, error)) from error


def _schema(path: Path) -> pa.Schema:
    try:
        return pq.read_schema(pa.BufferReader(_unsealed(path)))
    except OSError as error:
        raise TableError(_unreadable(path, error)) from error


def _unreadable(path: Path, error: OSError) -> str:
    return f"The table '{path}' must be a file that can be read. Got '{error.strerror or error}' instead."


def read_provenance(path: Path | str) -> str:
    """Return the provenance of a parquet table's rows, as `write` was told."""
    return (_parquet(Path(path)).schema.metadata or {}).get(PROVENANCE, b"").decode()


def collect(variants: Sequence[Sequence[Path]], seeds: Iterable[int], path: Path) -> None:
    """One table out of the blocks of each variant: the seeds asked for, each variant's rows in their order.

    Read and written variant by variant, so that memory does not grow with the study.
    """
    wanted, schema = pa.array(sorted(seeds)), _schema_of(block for blocks in variants for block in blocks)

    def fill(file: Path) -> None:
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for blocks in variants:
                table = pa.concat_tables(
                    [_parquet(block).replace_schema_metadata(None) for block in blocks], promote_options="permissive"
                )
                table = table.filter(pc.is_in(table["seed"], wanted))
                rows = {"seed": table["seed"], "row": pa.array(range(table.num_rows))}
                # Not Table.sort_by, which plans with threads: once a process aborted at its end with one still there.
                order = pc.sort_indices(pa.table(rows), sort_keys=[("seed", "ascending"), ("row", "ascending")])
                writer.write_table(_of_schema(table.take(order).unify_dictionaries(), schema))

    _sealed(path, fill)


def _schema_of(files: Iterable[Path]) -> pa.Schema:
    """Every column that a file has, at its first form: workloads have columns of their own."""
    fields: dict[str, pa.Field] = {}
    for file in files:
        for field in _schema(file):
            fields.setdefault(field.name, field)
    return pa.schema(list(fields.values()))


def _of_schema(table: pa.Table, schema: pa.Schema) -> pa.Table:
    for field in schema:
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    return table.select(schema.names).cast(schema)


def read_all(paths: Iterable[Path | str]) -> dict[str, pd.DataFrame]:
    """Several tables, each by its file's name without suffix."""
    return {Path(path).stem: read(path) for path in paths}
