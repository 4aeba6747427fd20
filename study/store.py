"""Tables on disk: written whole or not at all, checked when read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

TABLES = ("runs", "epochs", "steps", "tensors", "weights")
KEYS = ("study", "regime", "clip", "regularization", "seed")  # tell rows of every table apart


class TableError(ValueError):
    """A table file that cannot be used; says which, why, and what to do."""


def atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary neighbour, then put it in place in one move."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    os.close(handle)
    try:
        write(Path(name))
        os.chmod(name, 0o644)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def write(table: pd.DataFrame, path: Path | str) -> None:
    """Write a table as parquet (keys as dictionaries) or, by its suffix, as csv."""
    path = Path(path)
    if path.suffix == ".csv":
        atomically(path, lambda file: table.to_csv(file, index=False, lineterminator="\n"))
    else:
        compact = table.astype(dict.fromkeys(_texts(table), "category"))
        arrow = pa.Table.from_pandas(compact, preserve_index=False)
        atomically(path, lambda file: pq.write_table(arrow, file, compression="zstd"))


def _texts(table: pd.DataFrame) -> list[str]:
    return [key for key in (*KEYS[:-1], "tensor") if key in table]


def read(path: Path | str) -> pd.DataFrame:
    """Read a table written by `write`; raises `TableError` where it is damaged or lacks the key columns."""
    path = Path(path)
    try:
        table = (
            pd.read_csv(path, keep_default_na=False, na_values=[""]) if path.suffix == ".csv" else pd.read_parquet(path)
        )
    except (pa.ArrowInvalid, OSError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise TableError(f"The table '{path}' cannot be read ({error}). Delete it; it will be made again.") from error
    # A ledger of claims has no regimes.
    missing = [key for key in KEYS[:2] if key not in table and not (key == "regime" and "claim" in table)]
    if missing:
        raise TableError(f"The table '{path}' must have the columns {missing}. Got {list(table)} instead.")
    texts = {key: "str" for key in _texts(table) if table[key].dtype == "category"}
    return table.astype(texts)


def collect(variants: Sequence[Sequence[Path]], seeds: Iterable[int], path: Path) -> None:
    """One table out of the blocks of each variant: the seeds asked for, each variant's rows in their order.

    Read and written variant by variant, so that memory does not grow with the study.
    """
    wanted = pa.array(sorted(seeds))

    def fill(file: Path) -> None:
        writer: pq.ParquetWriter | None = None
        for blocks in variants:
            table = pa.concat_tables([_arrow(block) for block in blocks], promote_options="permissive")
            table = table.filter(pc.is_in(table["seed"], wanted))
            order = pa.array(range(table.num_rows))
            table = table.append_column("_row", order).sort_by([("seed", "ascending"), ("_row", "ascending")])
            table = table.drop_columns("_row").unify_dictionaries()
            writer = writer or pq.ParquetWriter(file, table.schema, compression="zstd")
            writer.write_table(table.cast(writer.schema))
        if writer:
            writer.close()

    atomically(path, fill)


def _arrow(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise TableError(f"The table '{path}' cannot be read ({error}). Delete it; it will be made again.") from error
    return table.replace_schema_metadata(None)


def read_all(paths: Iterable[Path | str]) -> dict[str, pd.DataFrame]:
    """Several tables, each by its file's name without suffix."""
    return {Path(path).stem: read(path) for path in paths}
