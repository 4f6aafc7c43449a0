"""The network, and the folder that a trained one lives in."""
