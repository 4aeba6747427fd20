"""Clipping and regularization, compared: config -> variants -> runs -> tables -> comparisons -> figures -> report."""

import os

# MKL then rounds a product of matrices the same wherever they lie in memory; otherwise a model's bits could depend on
# how many are trained beside it. MKL reads this at its first product.
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")
