"""Clipping and regularization, compared: config -> variants -> runs -> tables -> comparisons -> figures -> report."""
