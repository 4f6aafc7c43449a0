"""From text to numbers: a vocabulary that is learned, a tokenizer that runs it, rows of tokens to train on."""
