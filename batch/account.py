"""What came of the rides of a file, and how far the predictions are from how long they took."""

from collections import Counter
from functools import reduce
from math import sqrt
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from tlc import MAX_MINUTES, MIN_MINUTES


class Account(Struct, frozen=True):
    """Counts and sums, which add up over chunks and files.

    Attributes:
        rows: Rows of the input; each is predicted or rejected.
        predicted: Rows with a prediction.
        rejected: Rows without one, by reason.
        compared: Predicted rides of a known duration that training would keep, 1 to 60 minutes.
        squares: Sum of the squared differences of these, in square minutes.
        absolutes: Sum of their absolute differences, in minutes.
    """

    rows: int = 0
    predicted: int = 0
    rejected: dict[str, int] = {}
    compared: int = 0
    squares: float = 0.0
    absolutes: float = 0.0

    @classmethod
    def of(cls, scored: pa.RecordBatch) -> Self:
        """The account of scored rows."""
        reasons = Counter(scored["rejected"].drop_null().to_pylist())
        actual = scored["actual_minutes"]
        kept = pc.and_(pc.greater_equal(actual, MIN_MINUTES), pc.less_equal(actual, MAX_MINUTES))
        off = scored["difference_minutes"].filter(kept).drop_null().to_numpy()
        return cls(
            rows=len(scored),
            predicted=len(scored) - scored["predicted_minutes"].null_count,
            rejected=dict(sorted(reasons.items())),
            compared=len(off),
            squares=float(np.square(off).sum()),
            absolutes=float(np.abs(off).sum()),
        )

    def __add__(self, other: "Account") -> "Account":
        reasons = Counter(self.rejected) + Counter(other.rejected)
        return Account(
            rows=self.rows + other.rows,
            predicted=self.predicted + other.predicted,
            rejected=dict(sorted(reasons.items())),
            compared=self.compared + other.compared,
            squares=self.squares + other.squares,
            absolutes=self.absolutes + other.absolutes,
        )

    @property
    def rejections(self) -> int:
        """Rows without a prediction."""
        return sum(self.rejected.values())

    @property
    def rmse(self) -> float | None:
        """Root mean squared error, in minutes; None if nothing can be compared."""
        return sqrt(self.squares / self.compared) if self.compared else None

    @property
    def mae(self) -> float | None:
        """Mean absolute error, in minutes; None if nothing can be compared."""
        return self.absolutes / self.compared if self.compared else None


def total(accounts: list[Account]) -> Account:
    """All of them as one."""
    return reduce(Account.__add__, accounts, Account())
