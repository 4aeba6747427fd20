"""The explorer: a study's tables as one page that is opened from disk and needs no network."""
