"""The gallery: every registered method on one page, with what it is, and a picture that the method itself computes."""
