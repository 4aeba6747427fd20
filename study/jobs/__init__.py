"""Work of one job of the workflow: train a block of seeds, say why it failed, tell how far the study is."""
